"""What shards hold, as a file: it follows the shards, whatever becomes of it."""

import os
import shutil
from pathlib import Path

import pytest

from lgt_assets.identity import digest
from lgt_assets.sources import add_source, read_shard
from lgt_assets.sources.holdings import HoldingsFile
from lgt_assets.sources.shard_files import holdings_path
from lgt_assets_tests.sources.pictures import flat_manifest, row, write_lines


def add(state: Path, manifest: Path):
    return add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=4)


@pytest.mark.parametrize("damage", ["delete", "garbage", "torn", "other format", "a shard too many", "older shard"])
def test_whatever_becomes_of_the_file_nothing_is_added_twice(tmp_path: Path, damage: str) -> None:
    state, manifest = tmp_path / "state", flat_manifest(tmp_path, range(9))
    add(state, manifest)
    path = holdings_path(state, "mine")
    if damage == "delete":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "other format":
        import sqlite3

        connection = sqlite3.connect(path)
        connection.execute("pragma user_version = 99")
        connection.close()
    elif damage == "a shard too many":
        (state / "sources" / "mine" / "mine-00002.jsonl").unlink()
    elif damage == "older shard":
        os.utime(state / "sources" / "mine" / "mine-00001.jsonl", (1, 1))
    addition = add(state, manifest)
    added = 1 if damage == "a shard too many" else 0
    assert (addition.images_added, addition.images_known) == (added, 9 - added)


def test_shards_that_it_does_not_know_are_taken_in(tmp_path: Path) -> None:
    state, manifest = tmp_path / "state", flat_manifest(tmp_path, range(4))
    manifest.write_text(manifest.read_text() + "{\n")
    add(state, manifest)
    before = tmp_path / "before.sqlite"
    shutil.copy(holdings_path(state, "mine"), before)
    with flat_manifest(tmp_path, range(9)).open("a") as file:
        file.write("{\n{\n")
    assert add(state, manifest).problems_added == 1
    shutil.copy(before, holdings_path(state, "mine"))
    addition = add(state, manifest)
    assert (addition.new_shards, addition.images_known) == ((), 9)


def test_a_state_from_before_the_file_is_known(tmp_path: Path) -> None:
    state, manifest = tmp_path / "state", flat_manifest(tmp_path, range(5))
    add(state, manifest)
    holdings_path(state, "mine").unlink()
    moved = tmp_path / "moved"
    shutil.copytree(state, moved)
    assert add(moved, manifest).images_known == 5


def test_a_file_that_did_not_change_is_not_opened_again(tmp_path: Path) -> None:
    state, manifest = tmp_path / "state", flat_manifest(tmp_path, range(3))
    for number in range(3):
        os.utime(tmp_path / f"{number}.png", (1_000_000, 1_000_000))
    add(state, manifest)
    (tmp_path / "0.png").write_bytes(b"?" * (tmp_path / "0.png").stat().st_size)
    os.utime(tmp_path / "0.png", (1_000_000, 1_000_000))  # as nobody but a test would
    (tmp_path / "1.png").write_bytes(b"?" * (tmp_path / "1.png").stat().st_size)
    addition = add(state, manifest)
    assert (addition.images_known, addition.problems_added) == (2, 1)
    assert read_shard(state, "mine-00001").problems[0].reason == "not_a_picture"


def test_equal_problems_are_counted(tmp_path: Path) -> None:
    with HoldingsFile(tmp_path / "holdings.sqlite", {"a-00000": (1, 1)}) as holdings:
        key = digest("problem")
        holdings.remember("a-00000", (1, 1), [], [key, key])
        assert (holdings.problem_count(key), holdings.problem_count(digest("other"))) == (2, 0)
        assert [holdings.occur(key) for _ in range(3)] == [1, 2, 3]
    with HoldingsFile(tmp_path / "holdings.sqlite", {"a-00000": (1, 1)}) as holdings:
        assert holdings.missing() == [] and holdings.problem_count(key) == 2
        assert holdings.occur(key) == 1  # a pass of its own


def test_rows_of_one_id_in_one_shard_and_later_are_told_apart(tmp_path: Path) -> None:
    flat_manifest(tmp_path, range(3))
    manifest = write_lines(tmp_path / "m.jsonl", [row("0.png", id="a"), row("1.png", id="a"), row("2.png", id="b")])
    assert add(tmp_path / "state", manifest).problems_added == 1
    write_lines(manifest, [row("1.png", id="b"), row("1.png", id="c")])
    addition = add(tmp_path / "state", manifest)
    assert (addition.images_added, addition.problems_added) == (1, 1)
