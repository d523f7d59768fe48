"""Parquet files as `datasets` writes them: Image structs, features in the metadata, one file or more a split."""

import json
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import SourceBox, add_source, read_shard
from lgt_assets_tests.sources.pictures import plain_bytes

VALUE = {"dtype": "string", "_type": "Value"}
# As datasets 5 writes the features of {"bbox": List(List(float32, 4)), "category": List(ClassLabel)} beside an Image.
FEATURES = {
    "image_id": {"dtype": "int64", "_type": "Value"}, "image": {"_type": "Image"}, "caption": VALUE,
    "objects": {
        "bbox": {"feature": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 4, "_type": "List"}, "_type": "List"},
        "category": {"feature": {"names": ["ball", "cat"], "_type": "ClassLabel"}, "_type": "List"},
    },
}  # fmt: skip
SCHEMA = {
    "image_id": pl.Int64, "image": pl.Struct({"bytes": pl.Binary, "path": pl.String}), "caption": pl.String,
    "objects": pl.Struct({"bbox": pl.List(pl.Array(pl.Float32, 4)), "category": pl.List(pl.Int64)}),
}  # fmt: skip
DETECTION = {"boxes": "objects", "box_format": "xywh", "id": "image_id"}


def example(number: int, **changes: object) -> dict:
    return {
        "image_id": number, "image": {"bytes": plain_bytes(number), "path": f"{number}.jpg"}, "caption": f"Picture {number}.",
        "objects": {"bbox": [[1, 2, 10, 20]], "category": [number % 2]},
    } | changes  # fmt: skip


def write_split(folder: Path, split: str, part: int, of: int, rows: list[dict], *, rows_per_group: int = 2) -> Path:
    """``data/train-00000-of-00002.parquet``, as push_to_hub names files."""
    path = folder / "data" / f"{split}-{part:05d}-of-{of:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(path, metadata=metadata, row_group_size=rows_per_group)
    return path


def add(state: Path, path: Path | str, **options: str):
    return add_source(state, "hub", "hub", {"path": str(path)} | options)


def test_files_of_a_split_in_order_with_boxes_by_class_name(tmp_path: Path) -> None:
    write_split(tmp_path, "train", 1, 2, [example(3)])
    write_split(tmp_path, "train", 0, 2, [example(n) for n in range(3)])
    write_split(tmp_path, "test", 0, 1, [example(4)])
    state = tmp_path / "state"
    assert add(state, tmp_path, part="train", **DETECTION).images_added == 4
    pictures = read_shard(state, "hub-00000").pictures
    assert [found.record.external_id for found in pictures] == ["0", "1", "2", "3"]
    second = pictures[1].record
    assert second.boxes == (SourceBox("cat", "cat", 1, 2, 11, 22),) and second.caption == "Picture 1."
    assert second.origin == f"{tmp_path}/data/train-00000-of-00002.parquet#2"
    assert second.path.read_bytes() == plain_bytes(1)  # byte for byte
    again = add(state, tmp_path, **DETECTION)
    assert (again.images_added, again.images_known) == (1, 4)


def test_lists_of_boxes_with_text_labels_lists_of_captions_and_plain_bytes(tmp_path: Path) -> None:
    rows = [
        {"picture": plain_bytes(1), "sentences": ["A ball.", "A ball.", "A red ball."], "credit": "me", "terms": "CC0",
         "marks": [{"corners": [1.0, 2.0, 3.0, 4.0], "name": "ball", "score": 0.5}]},
        {"picture": plain_bytes(2), "sentences": ["None."], "credit": None, "terms": None, "marks": None},
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(tmp_path / "[0].parquet")
    add(
        tmp_path / "state", tmp_path / "[0].parquet", image="picture", caption="sentences", boxes="marks", box="corners",
        label="name", box_format="xyxy", license_column="terms", attribution="credit", license="CC-BY-4.0",
    )  # fmt: skip
    first, second = (found.record for found in read_shard(tmp_path / "state", "hub-00000").pictures)
    assert (first.caption, first.license, first.attribution) == ("A ball. A red ball.", "CC0", "me")
    assert first.boxes == (SourceBox("ball", "ball", 1, 2, 3, 4, 0.5),)
    assert (second.boxes, second.license, second.attribution, second.external_id) == ((), "CC-BY-4.0", None, None)


def test_bad_rows_are_problems_beside_good_ones(tmp_path: Path) -> None:
    two = {"bbox": [[1, 2, 3, 4]], "category": [0, 1]}
    rows = [
        example(0), example(1, image={"bytes": None, "path": "1.jpg"}), example(2, image=None), example(3, caption=None),
        example(4, objects={"bbox": [[1, 2, 3, 4]], "category": [7]}), example(5, objects=two),
        example(6, objects={"bbox": [[1, 2, 100, 4]], "category": [0]}), example(7, image={"bytes": b"GIF", "path": None}),
        example(8, objects=None), example(9, caption=" "),
    ]  # fmt: skip
    write_split(tmp_path, "train", 0, 1, rows)
    addition = add(tmp_path / "state", tmp_path, **DETECTION)
    content = read_shard(tmp_path / "state", "hub-00000")
    assert [found.record.external_id for found in content.pictures] == ["0", "8"] and addition.problems_added == 8
    assert [(p.row, p.field, p.reason) for p in content.problems] == [
        (2, "image", "missing_field"), (3, "image", "missing_field"), (4, "caption", "missing_field"),
        (5, "objects[0].category", "unknown_label"), (6, "objects", "bad_type"), (7, "boxes[0].box", "box_outside"),
        (8, "image", "not_a_picture"), (10, "caption", "caption_empty"),
    ]  # fmt: skip
    assert all('"path"' in problem.raw and "bytes" not in problem.raw for problem in content.problems)


def test_what_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    write_split(tmp_path, "train", 0, 1, [example(0)])

    def error(path: Path | str, **options: str) -> str:
        with pytest.raises(SourceError) as caught:
            add(tmp_path / "state", path, **options)
        return str(caught.value)

    assert "of split dev" in error(tmp_path, part="dev")
    assert "has no column text; its columns are image_id, image, caption, objects" in error(tmp_path, caption="text")
    assert "boxes needs box_format" in error(tmp_path, boxes="objects")
    assert "part chooses among the files of a folder" in error("hf://datasets/owner/name/data/*.parquet", part="train")
    (tmp_path / "data" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 torn")
    assert "cannot be read as Parquet" in error(tmp_path)
