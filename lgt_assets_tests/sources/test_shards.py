"""Adding sources: idempotent, append-only, one adder at a time, and whole after a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError, SourceError
from lgt_assets.identity import image_id, split_of
from lgt_assets.sources import add_source, list_shards, list_sources, read_shard
from lgt_assets_tests.sources.pictures import flat_manifest, flat_picture, row, write_lines

REPOSITORY = Path(__file__).parents[2]


def add(state: Path, manifest: Path, *, shard_size: int = 4, name: str = "mine"):
    return add_source(state, name, "manifest", {"path": str(manifest)}, shard_size=shard_size)


def shard_bytes(state: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((state / "sources").glob("*/*.jsonl"))}


def test_pictures_are_cut_into_shards_in_order(tmp_path: Path) -> None:
    state = tmp_path / "state"
    calls = []
    addition = add_source(
        state, "my-pictures", "manifest", {"path": str(flat_manifest(tmp_path, range(10)))}, shard_size=4,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert addition.new_shards == ("my-pictures-00000", "my-pictures-00001", "my-pictures-00002")
    held = [read_shard(state, shard).pictures for shard in addition.new_shards]
    assert [len(pictures) for pictures in held] == [4, 4, 2]
    assert [p.record.external_id for pictures in held for p in pictures] == [f"id{n}" for n in range(10)]
    assert calls == [(n, None) for n in range(1, 11)]
    assert list_shards(state) == list(addition.new_shards)
    line = shard_bytes(state)["my-pictures-00000.jsonl"].decode().splitlines()[1]
    sha256 = held[0][0].sha256
    assert image_id("my-pictures-00000", sha256) in line and f'"split": "{split_of(sha256)}"' in line


def test_adding_again_adds_nothing_and_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    manifest = flat_manifest(tmp_path, range(5))
    with manifest.open("a") as file:
        # Every kind of problem twice, the duplicates of held pictures among them.
        lines = [
            row("gone.png"),
            row("0.png", id="id0"),
            row("0.png", id="other"),
            row("1.png", id="id0"),
            row("2.png"),
        ]
        file.write(write_lines(tmp_path / "bad.jsonl", lines * 2).read_text())
    first = add(state, manifest)
    assert (first.images_added, first.problems_added) == (5, 10)
    before = shard_bytes(state)
    second = add(state, manifest)
    assert (second.new_shards, second.images_added, second.problems_added, second.images_known) == ((), 0, 0, 5)
    assert shard_bytes(state) == before


def test_new_rows_make_new_shards_and_old_ones_keep_their_bytes(tmp_path: Path) -> None:
    state = tmp_path / "state"
    add(state, flat_manifest(tmp_path, range(6)))
    before = shard_bytes(state)
    addition = add(state, flat_manifest(tmp_path, range(9)))
    assert (addition.new_shards, addition.images_added, addition.images_known) == (("mine-00002",), 3, 6)
    after = shard_bytes(state)
    assert {name: after[name] for name in before} == before
    assert [p.record.external_id for p in read_shard(state, "mine-00002").pictures] == ["id6", "id7", "id8"]


def test_new_problems_alone_make_a_shard(tmp_path: Path) -> None:
    state = tmp_path / "state"
    add(state, flat_manifest(tmp_path, range(2)))
    addition = add(state, write_lines(tmp_path / "bad.jsonl", [row("gone.png"), row("0.png", id="id0")]))
    assert (addition.new_shards, addition.problems_added, addition.images_known) == (("mine-00001",), 1, 1)
    assert read_shard(state, "mine-00001").pictures == ()
    (summary,) = list_sources(state)
    assert (summary.kind, summary.shards, summary.images, summary.problems) == (
        "manifest", ("mine-00000", "mine-00001"), 2, 1,
    )  # fmt: skip


def test_problems_at_the_end_go_with_the_last_pictures(tmp_path: Path) -> None:
    manifest = flat_manifest(tmp_path, range(4))
    with manifest.open("a") as file:
        file.write("{\n" * 3)
    assert add(tmp_path / "state", manifest, shard_size=4).new_shards == ("mine-00000",)
    assert len(read_shard(tmp_path / "state", "mine-00000").problems) == 3


def test_an_invalid_row_mended_later_does_not_take_the_place_of_the_valid_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    flat_picture(tmp_path / "b.png", 2)
    manifest = write_lines(tmp_path / "manifest.jsonl", [row("a.png", id="1"), row("b.png", id="1")])
    assert add(state, manifest).images_added == 1
    flat_picture(tmp_path / "a.png", 1)
    second = add(state, manifest)
    assert (second.images_added, second.images_known, second.problems_added) == (0, 1, 1)
    assert read_shard(state, "mine-00001").problems[0].reason == "duplicate_id"


def test_a_held_picture_with_another_caption_is_said_not_swallowed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    add(state, flat_manifest(tmp_path, range(1)))
    addition = add(state, write_lines(tmp_path / "new.jsonl", [row("0.png", id="id0", caption="Another text.")]))
    assert (addition.images_known, addition.problems_added) == (0, 1)
    assert read_shard(state, "mine-00001").problems[0].reason == "changed_row"


def test_another_kind_under_one_name_is_refused(tmp_path: Path) -> None:
    add(tmp_path / "state", flat_manifest(tmp_path, range(1)))
    with pytest.raises(SourceError, match="is of kind manifest"):
        add_source(tmp_path / "state", "mine", "scenes", {"count": 1})


@pytest.mark.parametrize("name", ["", "Mine", "a_b", "-a", "a-", "a--b", "../a", "a/b", "é", "a\n", "a" * 65])
def test_names_that_could_be_no_part_of_a_key_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot name a source"):
        add_source(tmp_path, name, "scenes", {})


@pytest.mark.parametrize("shard", ["mine-00009", "other-00000", "mine", "../mine-00000", ""])
def test_a_shard_that_is_not_there_is_not_found(tmp_path: Path, shard: str) -> None:
    add(tmp_path / "state", flat_manifest(tmp_path, range(1)))
    with pytest.raises(NotFoundError):
        read_shard(tmp_path / "state", shard)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    add(tmp_path / "state", flat_manifest(tmp_path, range(2)))
    path = tmp_path / "state" / "sources" / "mine" / "mine-00000.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="mine-00000.jsonl is damaged"):
        read_shard(tmp_path / "state", "mine-00000")


# The child dies when the given file is written but not yet in its place.
KILLED = """
import os, pathlib, signal, sys
from lgt_assets.sources import add_source
rename, dying = pathlib.Path.replace, sys.argv[3]
def replace(self, target):
    if target.name == dying:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
pathlib.Path.replace = replace
add_source(pathlib.Path(sys.argv[1]), "mine", "manifest", {"path": sys.argv[2]}, shard_size=4)
"""


@pytest.mark.parametrize(
    ("dying", "whole"),
    [("source.yaml", []), ("mine-00000.jsonl", []), ("mine-00002.jsonl", ["mine-00000", "mine-00001"])],
)
def test_a_killed_adder_leaves_whole_shards_and_the_next_goes_on(tmp_path: Path, dying: str, whole: list[str]) -> None:
    state, untouched = tmp_path / "state", tmp_path / "untouched"
    manifest = flat_manifest(tmp_path, range(10))
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(state), str(manifest), dying], cwd=REPOSITORY, check=False
    )
    assert child.returncode == -signal.SIGKILL
    folder = state / "sources" / "mine"
    assert [path.name for path in folder.iterdir() if path.name.startswith(f".{dying}")]
    assert [path.stem for path in sorted(folder.glob("*.jsonl"))] == whole
    for shard in whole:
        assert len(read_shard(state, shard).pictures) == 4

    assert add(state, manifest).images_known == 4 * len(whole)
    add(untouched, manifest)
    assert shard_bytes(state) == shard_bytes(untouched)
    assert not list(folder.glob(".*"))


ADDER = """
import pathlib, sys
from lgt_assets.sources import add_source
print("ready", flush=True)
sys.stdin.readline()
addition = add_source(pathlib.Path(sys.argv[1]), "mine", "manifest", {"path": sys.argv[2]}, shard_size=4)
print(addition.images_added, addition.images_known)
"""


def test_two_adders_at_once_add_everything_once(tmp_path: Path) -> None:
    state, manifest = tmp_path / "state", flat_manifest(tmp_path, range(30))
    adders = [
        subprocess.Popen(
            [sys.executable, "-c", ADDER, str(state), str(manifest)],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
        )
        for _ in range(2)
    ]  # fmt: skip
    for adder in adders:
        assert adder.stdout.readline() == "ready\n"
    outputs = sorted(adder.communicate("go\n")[0].strip() for adder in adders)
    assert outputs == ["0 30", "30 0"]
    untouched = tmp_path / "untouched"
    add(untouched, manifest)
    assert shard_bytes(state) == shard_bytes(untouched)
