"""What came to known sources: shards by name, manifests by their time and size."""

import json
import os
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image

from lgt_assets.errors import SourceError
from lgt_assets.sources.files import locked
from lgt_assets.sources.growth import grown_manifests, shards_on_disk
from lgt_assets.sources.shard_files import source_lock
from lgt_assets.sources.shards import add_source, list_shards
from lgt_assets_tests.registered import write_manifest


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = write_manifest(tmp_path / "mine")
    add_source(tmp_path, "mine", "manifest", {"path": str(path)}, shard_size=2)
    return path


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_shards_are_found_by_name(tmp_path: Path, manifest: Path) -> None:
    add_source(tmp_path, "scenes", "scenes", {"count": 2}, shard_size=1)
    assert shards_on_disk(tmp_path) == list_shards(tmp_path)
    assert shards_on_disk(tmp_path / "nothing") == []


def add(state: Path, manifest: Path) -> None:
    add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=2)


def grown(state: Path) -> list[str]:
    return [found.change for found in grown_manifests(state)]


def append(manifest: Path, number: int) -> None:
    """One more row, of a picture of its own."""
    Image.new("RGB", (41, 31), (10, 40 * number, 10)).save(manifest.parent / f"more-{number}.png")
    row = {"image": f"more-{number}.png", "caption": "A green sheet.", "license": "CC0", "boxes": []}
    manifest.write_text(manifest.read_text() + "\n" + json.dumps(row))


def test_only_a_manifest_that_changed_and_rests_has_grown(tmp_path: Path, manifest: Path) -> None:
    assert list(grown_manifests(tmp_path, settled_seconds=0)) == []  # as it was added
    append(manifest, 0)
    assert list(grown_manifests(tmp_path)) == []  # perhaps still being written
    age(manifest, 100)
    [found] = grown_manifests(tmp_path)
    assert (found.name, found.kind, found.options["path"]) == ("mine", "manifest", str(manifest))
    with locked(source_lock(tmp_path, "mine")):
        assert list(grown_manifests(tmp_path)) == []  # being added
    add(tmp_path, manifest)
    assert list(grown_manifests(tmp_path)) == []
    age(manifest, 50)
    manifest.unlink()
    assert list(grown_manifests(tmp_path)) == []


def test_an_older_file_put_in_its_place_has_grown(tmp_path: Path, manifest: Path) -> None:
    append(manifest, 0)
    age(manifest, 100_000)  # as `mv`, `cp -p` and `rsync -t` do
    assert len(grown(tmp_path)) == 1


def test_rows_appended_while_the_manifest_is_read_have_grown(tmp_path: Path, manifest: Path) -> None:
    append(manifest, 0)
    age(manifest, 100)

    def append_another(done: int, total: int | None) -> None:
        if done == 7:  # the last row was read
            append(manifest, 1)
            age(manifest, 50)

    add_source(tmp_path, "mine", "manifest", {"path": str(manifest)}, shard_size=2, progress=append_another)
    assert len(grown(tmp_path)) == 1


def test_a_killed_addition_is_asked_for_again_under_another_name(tmp_path: Path, manifest: Path) -> None:
    for number in range(4):
        append(manifest, number)
    age(manifest, 100)
    [before] = grown(tmp_path)

    class Killed(BaseException): ...

    def die(done: int, total: int | None) -> None:
        if len(list_shards(tmp_path)) == 4:  # one of two was written
            raise Killed

    with pytest.raises(Killed):
        add_source(tmp_path, "mine", "manifest", {"path": str(manifest)}, shard_size=2, progress=die)
    [after] = grown(tmp_path)
    assert after != before  # Dagster starts no second run of the same key
    add(tmp_path, manifest)
    assert grown(tmp_path) == []
    assert len(list_shards(tmp_path)) == 5


def test_a_record_from_before_says_changed_once(tmp_path: Path, manifest: Path) -> None:
    path = tmp_path / "sources" / "mine" / "source.yaml"
    recorded = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({key: recorded[key] for key in ("kind", "options")}))
    age(manifest, 100)
    assert len(grown(tmp_path)) == 1
    add(tmp_path, manifest)
    assert grown(tmp_path) == []


def test_new_shards_have_the_size_of_a_single_old_one(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "mine")
    add_source(tmp_path, "mine", "manifest", {"path": str(path)}, shard_size=7)
    append(path, 0)
    age(path, 100)
    assert [found.shard_size for found in grown_manifests(tmp_path)] == [7]


def test_a_damaged_record_is_named(tmp_path: Path, manifest: Path) -> None:
    (tmp_path / "sources" / "mine" / "source.yaml").write_text("kind")
    with pytest.raises(SourceError, match=r"mine/source\.yaml is damaged"):
        list(grown_manifests(tmp_path))
