"""Shards as rows: they fit their tables, their ids depend on content alone, and files that changed since are rejected."""

from pathlib import Path

from lgt_assets.identity import parse_row_id
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.sources import add_source, member_rows, shard_rows
from lgt_assets_tests.sources.pictures import flat_manifest, flat_picture, row, write_lines


def add(folder: Path, manifest: Path) -> Path:
    add_source(folder / "state", "mine", "manifest", {"path": str(manifest)})
    return folder / "state"


def test_rows_fit_their_tables(tmp_path: Path) -> None:
    manifest = flat_manifest(tmp_path, range(3))
    twice = [{"label": "ball", "box": [1, 2, 3, 4]}] * 2
    flat_picture(tmp_path / "twice.png", 99)
    with manifest.open("a") as file:
        file.write(
            write_lines(
                tmp_path / "more", [row("twice.png", boxes=twice), row("gone.png"), row("gone.png")]
            ).read_text()
        )
    state = add(tmp_path, manifest)
    rows = shard_rows(state, "mine-00000")
    for table in ("images", "grounded_objects", "rejections"):
        found = SCHEMAS[table].validate(frame(table, getattr(rows, table)))
        assert found["ordinal"].to_list() == list(range(found.height))
    SCHEMAS["shard_members"].validate(frame("shard_members", member_rows(state, "mine-00000")))
    assert [len(part) for part in rows] == [4, 5, 2]
    assert {entry["image_id"] for entry in rows.grounded_objects} == {entry["image_id"] for entry in rows.images}
    assert all(parse_row_id(entry["object_id"]).table == "grounded_objects" for entry in rows.grounded_objects)
    assert rows.images[0]["source"] == "mine" and rows.images[0]["uri"] == str(tmp_path / "0.png")


def test_the_same_rows_in_another_folder_get_the_same_ids(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        manifest = flat_manifest(tmp_path / name, range(3))
        with manifest.open("a") as file:
            file.write("{\n")
        rows = shard_rows(add(tmp_path / name, manifest), "mine-00000")
        ids.append(
            (
                [entry["image_id"] for entry in rows.images],
                [entry["object_id"] for entry in rows.grounded_objects],
                [entry["rejection_id"] for entry in rows.rejections],
            )
        )
    assert ids[0] == ids[1] and all(ids[0])


def test_files_that_vanished_or_changed_are_rejected_with_their_boxes(tmp_path: Path) -> None:
    state = add(tmp_path, flat_manifest(tmp_path, range(4)))
    before = shard_rows(state, "mine-00000")
    (tmp_path / "1.png").unlink()
    flat_picture(tmp_path / "2.png", 77)
    after = shard_rows(state, "mine-00000")
    assert [entry["external_id"] for entry in after.images] == ["id0", "id3"]
    assert [entry["reason"] for entry in after.rejections] == ["missing_file", "changed_file"]
    assert len(after.grounded_objects) == 2
    kept = {entry["image_id"] for entry in after.images}
    assert kept < {entry["image_id"] for entry in before.images}
    assert {entry["image_id"] for entry in after.grounded_objects} == kept
    assert len(member_rows(state, "mine-00000")) == 4


def test_a_state_folder_can_be_moved_with_the_pictures_it_holds(tmp_path: Path) -> None:
    add_source(tmp_path / "old", "scenes", "scenes", {"count": 2})
    (tmp_path / "old").rename(tmp_path / "new")
    rows = shard_rows(tmp_path / "new", "scenes-00000")
    assert len(rows.images) == 2 and rows.images[0]["uri"].startswith(str(tmp_path / "new"))
