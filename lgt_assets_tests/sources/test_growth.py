"""What came to known sources: shards by name, manifests by their time."""

import os
import time
from pathlib import Path

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources.growth import grown_manifests, shards_on_disk
from lgt_assets.sources.shards import add_source, list_shards
from lgt_assets_tests.assets.test_graph import write_manifest


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


def test_only_a_manifest_that_changed_and_rests_has_grown(tmp_path: Path, manifest: Path) -> None:
    recorded = tmp_path / "sources" / "mine" / "source.yaml"
    age(manifest, 100)
    assert list(grown_manifests(tmp_path)) == []  # added since
    age(recorded, 200)
    [grown] = grown_manifests(tmp_path)
    assert (grown.name, grown.kind, grown.options["path"]) == ("mine", "manifest", str(manifest))
    assert grown.changed_at == manifest.stat().st_mtime_ns
    age(manifest, 1)
    assert list(grown_manifests(tmp_path)) == []  # perhaps still being written
    age(manifest, 100)
    add_source(tmp_path, "mine", "manifest", {"path": str(manifest)}, shard_size=2)
    assert list(grown_manifests(tmp_path)) == []
    manifest.unlink()
    age(recorded, 200)
    assert list(grown_manifests(tmp_path)) == []


def test_a_damaged_record_is_named(tmp_path: Path, manifest: Path) -> None:
    (tmp_path / "sources" / "mine" / "source.yaml").write_text("kind")
    with pytest.raises(SourceError, match=r"mine/source\.yaml is damaged"):
        list(grown_manifests(tmp_path))
