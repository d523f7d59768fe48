"""Earlier versions of touched shards go, from data and log; those of other shards stay readable."""

from pathlib import Path

import polars as pl
import pytest

from lgt_assets.errors import StorageError
from lgt_assets.schemas import frame, partition_columns
from lgt_assets.storage import DeltaStore
from lgt_assets.table_locks import writing
from lgt_assets.takedown.history import remove_history
from lgt_assets_tests.rows import image_row
from lgt_assets_tests.takedown.traces import found_below

TOUCHED, OTHER = "a-00000", "a-00001"
WORDS = {"Turn 0 of a-00000.", "Turn 1 of a-00000."}


def rows(shard: str, turn: int) -> pl.DataFrame:
    return frame("images", [image_row(shard=shard, caption=f"Turn {turn} of {shard}.")])


def write(store: DeltaStore, shard: str, turn: int) -> int:
    return store.replace("images", rows(shard, turn), shard=shard)


def write_as_earlier(store: DeltaStore, shard: str) -> int:
    """The first turn as an earlier version of the package wrote it: least and greatest values, which are words, in the log."""
    options = {"partition_by": partition_columns("images")}
    rows(shard, 0).write_delta(store.uri("images"), mode="append", delta_write_options=options)
    return store.version("images")


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    """Three turns of two shards, with checkpoints of an early and of the latest version."""
    store = DeltaStore(str(tmp_path / "tables"))
    for turn in range(3):
        for shard in (TOUCHED, OTHER):
            version = write(store, shard, turn) if turn else write_as_earlier(store, shard)
            if turn in (0, 2):
                store.open("images", version).create_checkpoint()
    return store


def test_no_word_of_an_earlier_version_is_left(store: DeltaStore) -> None:
    folder = Path(store.uri("images"))
    assert any("_delta_log" in place and "checkpoint" in place for place in found_below(folder, WORDS))
    assert remove_history(store, "images", [TOUCHED]) == 2
    assert found_below(folder, WORDS) == {}
    assert store.read("images")["caption"].to_list() == [f"Turn 2 of {shard}." for shard in (TOUCHED, OTHER)]
    assert remove_history(store, "images", [TOUCHED]) == 0


def test_other_shards_are_read_at_every_version(store: DeltaStore) -> None:
    versions = range(1, store.version("images") + 1)
    before = [store.read("images", shards=[OTHER], version=version) for version in versions]
    remove_history(store, "images", [TOUCHED])
    assert all(
        store.read("images", shards=[OTHER], version=version).equals(held)
        for version, held in zip(versions, before, strict=True)
    )
    write(store, TOUCHED, 3)  # the log is still one that can be written to
    assert store.read("images", shards=[TOUCHED])["caption"].to_list() == ["Turn 3 of a-00000."]


def test_of_a_table_without_shards_all_earlier_versions_go(tmp_path: Path) -> None:
    store = DeltaStore(str(tmp_path))
    row = {"release_id": "r", "row_id": "x", "table": "images", "reason": "gone", "detail": "first words"}
    store.append("release_exclusions", frame("release_exclusions", [row]))
    store.rewrite("release_exclusions", lambda: iter([frame("release_exclusions", [])]), shards=[])
    remove_history(store, "release_exclusions", [TOUCHED])
    assert found_below(tmp_path, {"first words"}) == {} and store.read("release_exclusions").is_empty()


def test_a_table_in_writing_and_one_far_away_are_refused(store: DeltaStore) -> None:
    with writing(store.root, "images"), pytest.raises(StorageError, match="is being written"):
        remove_history(store, "images", [TOUCHED])
    assert remove_history(store, "sft_mix", [TOUCHED]) == 0
