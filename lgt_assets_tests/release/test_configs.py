"""Exact sizes: drawn by hash, the same on every machine, whatever the shards."""

from pathlib import Path

import polars as pl
import pytest
from lgt_assets.release.files import write_release

from lgt_assets.errors import SettingsError
from lgt_assets.identity import row_id
from lgt_assets.release.configs import RELEASE_TABLES, Draw, config_rows
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.schemas import frame
from lgt_assets_tests.rows import image_row

SHARDS = ("made-00000", "made-00001")


def tables(shards: tuple[str, ...] = SHARDS, per_shard: int = 60) -> dict[str, pl.LazyFrame]:
    """Pictures of both splits, and examples of both stages about them."""
    images, examples = [], []
    for shard in shards:
        own = [image_row(number, shard=shard, split=split) for number, split in enumerate(("train", "validation"))]
        images += own
        for number in range(per_shard):
            image = own[number % 6 > 3]
            examples.append({
                "shard": shard, "ordinal": number, "example_id": row_id("sft_mix", shard, number), "recipe": "long",
                "question_id": row_id("seed_questions", shard, number), "image_id": image["image_id"], "stage": 1 + number % 2,
                "messages": [], "images": [], "origin_id": "e",
            })  # fmt: skip
    made = {name: frame(name, []).lazy() for name in RELEASE_TABLES}
    return made | {"images": frame("images", images).lazy(), "sft_mix": frame("sft_mix", examples).lazy()}


def drawn(name: str, draw: Draw, split: str = "train", **changes: object) -> list[str]:
    return config_rows(name, split, tables(**changes), draw).collect()["example_id"].to_list()


def test_a_size_is_met_exactly_and_validation_is_whole():
    everything = drawn("sft_stage1", Draw({}))
    some = drawn("sft_stage1", Draw({"sft_stage1": 17}))
    assert len(some) == 17 == len(set(some)) and set(some) < set(everything)
    assert (
        drawn("sft_stage1", Draw({"sft_stage1": 17}), "validation") == drawn("sft_stage1", Draw({}), "validation") != []
    )
    assert some == [name for name in everything if name in set(some)]
    assert {name.split(".")[1] for name in some} == set(SHARDS)


def test_the_seed_decides_which_and_the_order_of_shards_does_not():
    draw = Draw({"sft_stage1": 17}, seed=0)
    assert drawn("sft_stage1", draw) == drawn("sft_stage1", draw, shards=SHARDS[::-1])
    assert drawn("sft_stage1", draw) != drawn("sft_stage1", Draw({"sft_stage1": 17}, seed=1))


def test_a_merged_config_holds_both_stages_and_the_first_of_each():
    merged = drawn("sft_stage2_merged", Draw({"sft_stage2_merged": 40}))
    assert len(merged) == 40
    of_stage = {stage: set(drawn(f"sft_stage{stage}", Draw({}))) & set(merged) for stage in (1, 2)}
    for stage, own in of_stage.items():
        assert own == set(drawn(f"sft_stage{stage}", Draw({f"sft_stage{stage}": len(own)})))
    assert all(len(own) >= 10 for own in of_stage.values())


def test_too_large_a_size_is_an_error_and_leaves_nothing_behind(tmp_path: Path):
    draw = Draw({"sft_stage1": 1000})
    with pytest.raises(SettingsError, match=r"sft_stage1 is to have 1,000 rows in train and there are \d+"):
        write_release(tmp_path, tables(), pl.DataFrame(schema=SCHEMA), draw=draw, title="x", provenance={})
    assert list(tmp_path.iterdir()) == []


def test_a_size_of_an_unknown_config_is_an_error():
    with pytest.raises(SettingsError, match="there is no config sft_stage3; there are sft_stage1"):
        drawn("sft_stage1", Draw({"sft_stage3": 1}))
