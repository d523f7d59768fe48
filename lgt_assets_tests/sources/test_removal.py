"""What was removed from a source stays away, however often it is added."""

import json
from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.sources import add_source, read_shard, shard_rows
from lgt_assets.sources.card import source_card
from lgt_assets.sources.removal import remove_pictures
from lgt_assets.sources.shards import list_sources
from lgt_assets_tests.sources.pictures import flat_manifest, row, write_lines

SHARD = "mine-00000"


def add(state: Path, manifest: Path):
    return add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=4)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three good rows, and a bad one about the first picture."""
    path = flat_manifest(tmp_path, range(3))
    lines = path.read_text().splitlines()
    return write_lines(path, [*lines, row("0.png", id="again", caption="A periwinkle picture once more.")])


def test_a_tombstone_says_no_more_than_the_sha256(tmp_path: Path, manifest: Path) -> None:
    state = tmp_path / "state"
    add(state, manifest)
    first, *others = read_shard(state, SHARD).pictures
    assert remove_pictures(state, SHARD, [first.sha256], lambda line: "periwinkle" in line) == 2
    content = read_shard(state, SHARD)
    assert content.removed == (first.sha256,) and len(content.removed_problems) == 1
    assert [one.sha256 for one in content.pictures] == [one.sha256 for one in others] and content.problems == ()
    text = (state / "sources/mine" / f"{SHARD}.jsonl").read_text()
    assert json.loads(text.splitlines()[1]) == {"type": "removed_image", "digest": first.sha256}
    assert "id0" not in text and "periwinkle" not in text
    assert len(shard_rows(state, SHARD).images) == 2 and not shard_rows(state, SHARD).rejections
    (summary,) = list_sources(state)
    assert (summary.images, summary.problems) == (2, 0) and source_card(state, "mine").pictures == 2
    assert remove_pictures(state, SHARD, [first.sha256]) == 0


def test_adding_again_or_with_another_text_brings_nothing_back(tmp_path: Path, manifest: Path) -> None:
    state = tmp_path / "state"
    add(state, manifest)
    gone = read_shard(state, SHARD).pictures[0].sha256
    remove_pictures(state, SHARD, [gone], lambda line: "periwinkle" in line)
    for change in ({}, {"caption": "Quite another text about it."}, {"id": "new"}):
        lines = [json.loads(line) for line in manifest.read_text().splitlines()]
        write_lines(manifest, [lines[0] | change, *lines[1:]])
        again = add(state, manifest)
        assert (again.new_shards, again.images_added, again.problems_added) == ((), 0, 0)


def test_a_source_that_makes_its_pictures_keeps_none_of_a_removed_one(tmp_path: Path) -> None:
    add_source(tmp_path, "scenes", "scenes", {"count": 2})
    gone = read_shard(tmp_path, "scenes-00000").pictures[0]
    remove_pictures(tmp_path, "scenes-00000", [gone.sha256])
    gone.record.path.unlink()
    add_source(tmp_path, "scenes", "scenes", {"count": 3})
    assert not gone.record.path.exists() and len(list((tmp_path / "images/scenes").glob("*.png"))) == 2


def test_a_shard_that_is_not_there_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no shard mine-00007"):
        remove_pictures(tmp_path, "mine-00007", [])
