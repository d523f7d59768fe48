"""The header is what the hub's library reads: configs, splits, sizes and every column's feature."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.release.card import card_text
from lgt_assets.release.card_yaml import header, yaml_features
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.licences import HUB_LICENCES, hub_name, licence_header, licence_text
from lgt_assets.release.writing import Written
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_card import card_of, write_format

datasets = pytest.importorskip("datasets")
TEXT = {"dtype": "string", "_type": "Value"}
FEATURES = {
    "images": {"feature": {"_type": "Image"}, "_type": "Sequence"}, "prompt": [{"role": TEXT, "content": TEXT}],
    "row_id": TEXT, "pass_rate": {"dtype": "float64", "_type": "Value"},
    "extra_info": {"index": {"dtype": "int64", "_type": "Value"}, "choices": {"feature": TEXT, "_type": "Sequence"}},
}  # fmt: skip
LEAVES = st.sampled_from(["string", "int64", "float64", "bool"]).map(lambda dtype: {"dtype": dtype, "_type": "Value"})
NAMES = st.from_regex(r"[a-z][a-z_]{0,7}", fullmatch=True)
STRUCTS = st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3)


def of_rows(rows: dict[tuple[str, str], int], files: int = 1) -> list[Written]:
    return [
        Written(
            config, split, count, "", tuple(f"{config}/{split}-{part:05}.parquet" for part in range(files)), 7, FEATURES
        )
        for (config, split), count in rows.items()
    ]


def read(facts: dict, written: list[Written]) -> dict:
    return yaml.safe_load(header(facts, written, ["trl"]).split("---\n")[1])


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_library_loads_every_config_as_the_header_tells(
    name: str, store: DeltaStore, facts: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "export"
    written = write_format(store, folder, name)
    (folder / "README.md").write_text(card_text(card_of(facts, written, name)), encoding="utf-8")
    filled = [one for one in written if one.rows]
    assert datasets.get_dataset_config_names(str(folder)) == list(dict.fromkeys(one.config for one in filled))
    assert datasets.get_dataset_default_config_name(str(folder)) == filled[0].config
    told = datasets.info.DatasetInfosDict.from_directory(str(folder))
    for one in filled:
        rows = datasets.load_dataset(str(folder), one.config, split=one.split, cache_dir=str(tmp_path / "cache"))
        assert len(rows) == one.rows == told[one.config].splits[one.split].num_examples
        assert rows.features == told[one.config].features and list(rows.features) == list(one.features)
        shown = rows[0]["images"][0]
        assert hasattr(shown, "getpixel") if FORMATS[name].pictures == "embedded" else isinstance(shown, str)


def test_features_are_spelt_as_the_library_reads_them() -> None:
    found = datasets.Features._from_yaml_list(yaml_features(FEATURES))
    assert found == datasets.Features.from_dict(FEATURES)
    assert yaml_features(FEATURES)[:2] == [
        {"name": "images", "sequence": "image"},
        {"name": "prompt", "list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]},
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            LEAVES,
            STRUCTS,
            STRUCTS.map(lambda one: [one]),
            LEAVES.map(lambda one: {"feature": one, "_type": "Sequence"}),
        ),
        min_size=1,
    )
)
def test_any_features_survive_the_header(features: dict) -> None:
    assert datasets.Features._from_yaml_list(yaml_features(features)) == datasets.Features.from_dict(features)


def test_a_split_without_rows_is_no_split(facts: dict) -> None:
    rows = {("sft_stage1", "train"): 3, ("sft_stage1", "validation"): 0, ("rl_stage1", "train"): 0}
    found = read(facts, of_rows(rows))
    assert [one["config_name"] for one in found["configs"]] == ["sft_stage1"]
    assert [one["split"] for one in found["configs"][0]["data_files"]] == ["train"]
    assert found["dataset_info"][0]["splits"] == [{"name": "train", "num_bytes": 7, "num_examples": 3}]
    assert "reinforcement-learning" not in found["task_categories"]


def test_parts_of_a_split_are_one_pattern(facts: dict) -> None:
    found = read(facts, of_rows({("rl_stage1", "train"): 3}, files=3))
    assert found["configs"][0]["data_files"] == [{"split": "train", "path": "rl_stage1/train-*.parquet"}]
    assert "reinforcement-learning" in found["task_categories"]


def test_rows_of_the_merged_config_are_not_counted_twice(facts: dict) -> None:
    rows = {("sft_stage1", "train"): 400, ("sft_stage2", "train"): 500, ("sft_stage2_merged", "train"): 900}
    assert read(facts, of_rows(rows))["size_categories"] == ["n<1K"]
    assert read(facts, of_rows(rows | {("sft_stage1", "train"): 500}))["size_categories"] == ["1K<n<10K"]


def sources(*licences: str) -> dict:
    return {"sources": [{"source": "s", "license": one, "pictures": 1} for one in licences]}


@pytest.mark.parametrize(
    ("licence", "name"), [("Apache-2.0", "apache-2.0"), ("CC BY 4.0", "cc-by-4.0"), ("CC0", "cc0-1.0")]
)
def test_one_licence_that_the_hub_knows_is_the_licence(licence: str, name: str) -> None:
    assert licence_header(sources(licence, licence)) == {"license": name}
    assert licence_text(sources(licence)) is None


def test_other_licences_are_told_in_a_file() -> None:
    assert licence_header(sources("My own terms")) == {
        "license": "other", "license_name": "my-own-terms", "license_link": "LICENSE.md",
    }  # fmt: skip
    several = licence_header(sources("CC0", "CC BY 4.0"))
    assert several["license"] == "other" and several["license_link"] == "LICENSE.md"
    assert "CC BY 4.0" in licence_text(sources("CC0", "CC BY 4.0"))


@given(st.text())
def test_a_licence_s_name_is_a_plain_word(licence: str) -> None:
    name = hub_name(licence)
    assert name and len(name) <= 60 and not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789.+-")
    assert name in HUB_LICENCES or licence_header(sources(licence))["license"] == "other"
