"""The photographs: described densely, boxed inside their pictures, never copied but on request."""

import json
from pathlib import Path

import pytest
import yaml

from lgt_assets.errors import SourceError
from lgt_assets.sources import add_source, read_shard, shard_rows, write_manifest
from lgt_assets.sources.photos import DESCRIPTIONS, package_folder

ENTRIES = yaml.safe_load(DESCRIPTIONS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_captions_are_dense_and_hold_every_phrase(entry: dict) -> None:
    assert len(entry["caption"].split()) >= 80
    assert 2 <= len(entry["boxes"]) <= 8
    for box in entry["boxes"]:
        assert box["phrase"] in entry["caption"]
    assert entry["license"] and entry["attribution"]


def test_all_twelve_are_there_with_their_boxes_inside(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    addition = add_source(tmp_path, "photos", "photos", {})
    assert (addition.images_added, addition.problems_added) == (12, 0)
    rows = shard_rows(tmp_path, "photos-00000")
    sizes = {entry["image_id"]: (entry["width"], entry["height"]) for entry in rows.images}
    for entry in rows.grounded_objects:
        width, height = sizes[entry["image_id"]]
        assert 0 <= entry["x0"] < entry["x1"] <= width and 0 <= entry["y0"] < entry["y1"] <= height
    assert not (tmp_path / "images").exists()
    credits = {entry["external_id"]: (entry["license"], entry["attribution"]) for entry in rows.images}
    for name in ("china", "flower"):
        assert credits[name][0] == "CC-BY-2.0" and "danielbuechele" in credits[name][1]


def test_their_manifest_is_a_manifest(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    manifest = write_manifest(tmp_path / "photos")
    addition = add_source(tmp_path / "state", "mine", "manifest", {"path": str(manifest)})
    assert (addition.images_added, addition.problems_added) == (12, 0)
    add_source(tmp_path / "state", "photos", "photos", {})
    mine, theirs = (read_shard(tmp_path / "state", f"{name}-00000").pictures for name in ("mine", "photos"))
    assert [p.sha256 for p in mine] == [p.sha256 for p in theirs]
    assert [p.record.boxes for p in mine] == [p.record.boxes for p in theirs]
    assert all(not Path(json.loads(line)["image"]).is_absolute() for line in manifest.read_text().splitlines())


def test_a_missing_package_is_named_with_the_command_that_mends_it() -> None:
    with pytest.raises(SourceError, match=r"pip install -e '\.\[photos\]'"):
        package_folder("no_such_package_of_photographs")
