"""What tables are created with, and that nothing is lost by it, on real tables."""

from pathlib import Path

import polars as pl
import pytest

from lgt_assets.schemas import SCHEMAS, frame, partition_columns
from lgt_assets.storage import DeltaStore
from lgt_assets.table_creation import FEW_STATISTICS, KEPT, properties
from lgt_assets_tests.rows import image_row

COMMITS = 103  # past deltalake's checkpoint, which comes every hundredth


def images(number: int) -> pl.DataFrame:
    return frame("images", [image_row(number, shard=f"made-{number:05d}")])


def filled(root: Path, earlier: int) -> DeltaStore:
    """One whose images have a checkpoint, with slices before and after it; the first commits are of an earlier version."""
    store = DeltaStore(str(root))
    for number in range(COMMITS):
        if number < earlier:
            options = {"partition_by": partition_columns("images")}
            images(number).write_delta(store.uri("images"), mode="append", delta_write_options=options)
        else:
            store.replace("images", images(number), shard=f"made-{number:05d}")
    assert list(Path(store.uri("images"), "_delta_log").glob("*.checkpoint.parquet"))
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DeltaStore:
    return filled(tmp_path_factory.mktemp("tables"), earlier=0)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> DeltaStore:
    return filled(tmp_path_factory.mktemp("upgraded"), earlier=3)


def test_least_and_greatest_values_are_kept_of_ordinals_only(store: DeltaStore) -> None:
    files = pl.DataFrame(store.open("images").get_add_actions(flatten=True))
    assert [name for name in files.columns if name.startswith(("min.", "max."))] == ["min.ordinal", "max.ordinal"]
    assert files["num_records"].to_list() == [1] * COMMITS


@pytest.mark.parametrize("made", ["store", "upgraded"])
def test_rows_are_found_by_columns_without_statistics(made: str, request: pytest.FixtureRequest) -> None:
    """Some deltalake lost what lay before a checkpoint: https://github.com/delta-io/delta-rs/issues/3201."""
    rows = request.getfixturevalue(made).scan("images")
    every = rows.select("image_id", "width").collect()
    assert every.height == COMMITS
    for image_id in every["image_id"][0], every["image_id"][-1]:
        assert rows.filter(pl.col("image_id") == image_id).collect().height == 1
    assert rows.filter(pl.col("width") >= every["width"].min()).collect().height == COMMITS
    assert rows.filter(pl.col("image_id").is_not_null()).collect().height == COMMITS
    assert rows.filter(pl.col("image_id").is_null()).collect().height == 0


def test_a_table_without_ordinals_keeps_all_statistics() -> None:
    assert properties(["shard", "ordinal"]) == KEPT | FEW_STATISTICS and properties(["release_id"]) == KEPT
    assert {table for table in SCHEMAS if properties(frame(table, []).columns) == KEPT} == {
        "release", "release_exclusions", "shard_members", "takedowns", "evaluations",
    }  # fmt: skip
