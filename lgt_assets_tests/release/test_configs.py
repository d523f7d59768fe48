"""Exact sizes: drawn by hash, the same on every machine, whatever the shards; in the files as in the function."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import SettingsError
from lgt_assets.identity import row_id
from lgt_assets.release.configs import RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.release.making import Draft, make_release
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_card import made_facts
from lgt_assets_tests.rows import image_row

SHARDS = ("made-00000", "made-00001")
NOTHING = pl.DataFrame(schema=SCHEMA)


def write_tables(folder: Path, shards: Sequence[str] = SHARDS, per_shard: int = 60) -> TableFolder:
    """Pictures of both splits, and examples of both stages about them."""
    store = DeltaStore(str(folder / "tables"))
    for shard in shards:
        own = [image_row(number, shard=shard, split=split) for number, split in enumerate(("train", "validation"))]
        examples = []
        for number in range(per_shard):
            image = own[number % 6 > 3]
            examples.append({
                "shard": shard, "ordinal": number, "example_id": row_id("sft_mix", shard, number), "recipe": "long",
                "question_id": row_id("seed_questions", shard, number), "image_id": image["image_id"], "stage": 1 + number % 2,
                "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": f"{number}"}],
                "images": [image["image_id"]], "origin_id": "e",
            })  # fmt: skip
        store.replace("images", frame("images", own), shard=shard)
        store.replace("sft_mix", frame("sft_mix", examples), shard=shard)
    for table in RELEASE_TABLES:
        store.create(table)
    return TableFolder(store.root)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[Sequence[str], TableFolder]:
    """The same rows, shards written in both orders."""
    folder = tmp_path_factory.mktemp("made")
    return {order: write_tables(folder / str(n), order) for n, order in enumerate((SHARDS, SHARDS[::-1]))}


@pytest.fixture
def drawn(tables: dict, tmp_path: Path):
    """Ids of a config's split as a release's file has them."""

    def read(name: str, draw: Draw, split: str = "train", shards: Sequence[str] = SHARDS) -> list[str]:
        folder = tables[shards]
        draft = Draft({table: folder.open(table).version for table in RELEASE_TABLES}, SHARDS, draw, NOTHING)
        release, _ = make_release(tmp_path, folder, draft, lambda *_: made_facts(DeltaStore(folder.root)))
        return pl.read_parquet(tmp_path / release.release_id / name / f"{split}.parquet")["example_id"].to_list()

    return read


def test_a_size_is_met_exactly_and_validation_is_whole(drawn):
    everything = drawn("sft_stage1", Draw({}))
    some = drawn("sft_stage1", Draw({"sft_stage1": 17}))
    assert len(some) == 17 == len(set(some)) and set(some) < set(everything)
    validation = drawn("sft_stage1", Draw({}), "validation")
    assert drawn("sft_stage1", Draw({"sft_stage1": 17}), "validation") == validation != []
    assert some == [name for name in everything if name in set(some)]
    assert {name.split(".")[1] for name in some} == set(SHARDS)
    assert everything == sorted(everything, key=lambda name: name[-16:])


def test_the_seed_decides_which_and_the_order_of_shards_does_not(drawn):
    draw = Draw({"sft_stage1": 17}, seed=0)
    assert drawn("sft_stage1", draw) == drawn("sft_stage1", draw, shards=SHARDS[::-1])
    assert drawn("sft_stage1", draw) != drawn("sft_stage1", Draw({"sft_stage1": 17}, seed=1))


def test_a_merged_config_holds_both_stages_and_the_first_of_each(drawn):
    merged = drawn("sft_stage2_merged", Draw({"sft_stage2_merged": 40}))
    assert len(merged) == 40
    of_stage = {stage: set(drawn(f"sft_stage{stage}", Draw({}))) & set(merged) for stage in (1, 2)}
    for stage, own in of_stage.items():
        assert own == set(drawn(f"sft_stage{stage}", Draw({f"sft_stage{stage}": len(own)})))
    assert all(len(own) >= 10 for own in of_stage.values())


def test_too_large_a_size_is_an_error_and_leaves_nothing_behind(tables: dict, tmp_path: Path):
    folder = tables[SHARDS]
    draft = Draft(
        {name: folder.open(name).version for name in RELEASE_TABLES}, SHARDS, Draw({"sft_stage1": 1000}), NOTHING
    )
    with pytest.raises(SettingsError, match=r"sft_stage1 is to have 1,000 rows in train and there are \d+"):
        make_release(tmp_path, folder, draft, lambda *_: made_facts(DeltaStore(folder.root)))
    assert list(tmp_path.iterdir()) == []


def test_a_size_of_an_unknown_config_is_an_error():
    with pytest.raises(SettingsError, match="there is no config sft_stage3; there are sft_stage1"):
        Draw({"sft_stage3": 1})
