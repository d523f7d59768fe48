"""Manifests: good rows come through, every kind of bad row is named with its row, field and reason, and nothing raises."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.errors import SourceError
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.sources import Picture, SourceProblem, add_source, open_source, read_shard, shard_rows
from lgt_assets.sources.inspection import inspect
from lgt_assets_tests.sources.pictures import (
    bomb_bytes,
    flat_manifest,
    flat_picture,
    judged,
    picture_bytes,
    row,
    write_lines,
)


def only_problem(folder: Path, *rows: dict | str) -> SourceProblem:
    flat_picture(folder / "good.png", 1)
    (entry,) = judged(write_lines(folder / "manifest.jsonl", list(rows)))
    assert isinstance(entry, SourceProblem), entry
    return entry


def test_bad_rows_are_quarantined_beside_good_ones(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for number in range(4):
        flat_picture(folder / f"{number}.png", number)
    (folder / "cut.jpg").write_bytes(picture_bytes(kind="JPEG")[:-300])
    (folder / "bomb.png").write_bytes(bomb_bytes())
    (folder / "same.png").write_bytes((folder / "0.png").read_bytes())
    box = {"label": "ball", "box": [1, 2, 20, 25]}
    manifest = write_lines(
        folder / "manifest.jsonl",
        [
            row("0.png", id="a"),
            row("nowhere.png", id="b"),
            row("cut.jpg", id="c"),
            row("bomb.png", id="d"),
            row("1.png", id="e", boxes=[box, box, {"label": "ball", "box": [1, 2, 41, 25]}]),
            row("1.png", id="f", boxes=[{"label": "ball", "box": [1, float("nan"), 20, 25]}]),
            row("1.png", id="g", caption="  "),
            row("1.png", id="a"),
            row("same.png", id="h"),
            row("1.png", id="b"),
            row("2.png"),
            "{not json",
            row("3.png", id=7),
        ],
    )
    addition = add_source(tmp_path / "state", "mine", "manifest", {"path": str(manifest)})
    assert (addition.images_added, addition.problems_added, addition.images_known) == (4, 9, 0)

    content = read_shard(tmp_path / "state", "mine-00000")
    # Row 2 named b first, but no picture; row 10 is the first valid one and wins.
    assert [(picture.record.row, picture.record.external_id) for picture in content.pictures] == [
        (1, "a"), (10, "b"), (11, None), (13, "7"),
    ]  # fmt: skip
    assert [(problem.row, problem.field, problem.reason) for problem in content.problems] == [
        (2, "image", "missing_file"),
        (3, "image", "unreadable_image"),
        (4, "image", "image_too_large"),
        (5, "boxes[2].box", "box_outside"),
        (6, "boxes[0].box", "box_not_finite"),
        (7, "caption", "caption_empty"),
        (8, "id", "duplicate_id"),
        (9, "image", "duplicate_image"),
        (12, "", "bad_json"),
    ]
    assert {problem.file for problem in content.problems} == {str(manifest)}
    assert content.problems[-1].raw == "{not json"

    rows = shard_rows(tmp_path / "state", "mine-00000")
    rejections = SCHEMAS["rejections"].validate(frame("rejections", rows.rejections))
    assert rejections.height == 9
    assert rejections["detail"][3].startswith(f"file {manifest}, row 5, field boxes[2].box: ")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"image": None}, "image", "missing_field"),
        ({"image": ""}, "image", "missing_field"),
        ({"image": 3}, "image", "bad_type"),
        ({"image": "."}, "image", "not_a_file"),
        ({"image": "../good.png"}, "image", "unsafe_path"),
        ({"image": "a/../../good.png"}, "image", "unsafe_path"),
        ({"image": "a\0b"}, "image", "unsafe_path"),
        ({"image": "\ud800.png"}, "image", "unsafe_path"),
        ({"image": "good.png/deeper.png"}, "image", "missing_file"),
        ({"image": "x" * 5000}, "image", "unreadable_file"),
        ({"caption": ""}, "caption", "caption_empty"),
        ({"caption": 5}, "caption", "bad_type"),
        ({"caption": "half a pair \ud800"}, "caption", "bad_encoding"),
        ({"id": True}, "id", "bad_type"),
        ({"id": 1.5}, "id", "bad_type"),
        ({"id": " "}, "id", "id_empty"),
        ({"license": ["CC0"]}, "license", "bad_type"),
        ({"boxes": None}, "boxes", "missing_field"),
        ({"boxes": "[]"}, "boxes", "bad_type"),
        ({"boxes": ["ball"]}, "boxes[0]", "bad_type"),
        ({"boxes": [{"box": [1, 2, 3, 4]}]}, "boxes[0].label", "missing_field"),
        ({"boxes": [{"label": "", "box": [1, 2, 3, 4]}]}, "boxes[0].label", "label_empty"),
        ({"boxes": [{"label": "a", "phrase": "", "box": [1, 2, 3, 4]}]}, "boxes[0].phrase", "phrase_empty"),
        ({"boxes": [{"label": "a"}]}, "boxes[0].box", "missing_field"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3]}]}, "boxes[0].box", "bad_type"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, "4"]}]}, "boxes[0].box", "bad_type"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, True]}]}, "boxes[0].box", "bad_type"),
        ({"boxes": [{"label": "a", "box": [1, 2, float("inf"), 4]}]}, "boxes[0].box", "box_not_finite"),
        ({"boxes": [{"label": "a", "box": [1, 2, 10**400, 4]}]}, "boxes[0].box", "box_not_finite"),
        ({"boxes": [{"label": "a", "box": [-1, 2, 3, 4]}]}, "boxes[0].box", "box_outside"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, 30.01]}]}, "boxes[0].box", "box_outside"),
        ({"boxes": [{"label": "a", "box": [3, 2, 3, 4]}]}, "boxes[0].box", "box_without_area"),
        ({"boxes": [{"label": "a", "box": [3, 2, 1, 4]}]}, "boxes[0].box", "box_without_area"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, 4], "score": 1.1}]}, "boxes[0].score", "score_outside"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, 4], "score": float("nan")}]}, "boxes[0].score", "score_outside"),
        ({"boxes": [{"label": "a", "box": [1, 2, 3, 4], "score": "high"}]}, "boxes[0].score", "bad_type"),
    ],
)
def test_a_bad_field_is_named(tmp_path: Path, changes: dict, field: str, reason: str) -> None:
    problem = only_problem(tmp_path, row("good.png", **changes))
    assert (problem.row, problem.field, problem.reason) == (1, field, reason)
    assert problem.detail and problem.raw


@pytest.mark.parametrize("line", ["[]", "3", "null", '"text"'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    assert only_problem(tmp_path, line).reason == "bad_type"


def test_deep_nesting_and_bytes_that_are_no_text_are_one_bad_row_each(tmp_path: Path) -> None:
    flat_picture(tmp_path / "good.png", 1)
    manifest = tmp_path / "manifest.jsonl"
    good = json.dumps(row("good.png")).encode()
    manifest.write_bytes(b"\xef\xbb\xbf" + good + b"\n\n" + b"[" * 200_000 + b"\n" + b'{"image": "\xff"}\n')
    first, second, third = judged(manifest)
    assert isinstance(first, Picture)
    assert (second.row, second.reason) == (3, "bad_json")
    assert (third.row, third.reason, third.raw) == (4, "bad_encoding", '{"image": "\\xff"}')


def test_defaults_and_links_and_absolute_paths_into_a_named_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    outside = flat_picture(tmp_path / "outside" / "picture.png", 2)
    inside.mkdir()
    (inside / "link.png").symlink_to(outside)
    manifest = write_lines(
        inside / "manifest.jsonl",
        [row("link.png", license=None, boxes=[{"label": "ball", "box": [0, 0, 40, 30]}]), row(str(outside), boxes=[])],
    )
    assert [one.reason for one in judged(manifest)] == ["unsafe_path", "unsafe_path"]
    records = open_source("manifest", {"path": str(manifest), "roots": str(outside.parent)}).records(tmp_path)
    linked, absolute = (inspect(record) for record in records)
    assert (
        linked.record.license == "unknown"
        and linked.record.boxes[0].phrase == "ball"
        and linked.record.boxes[0].score == 1
    )
    assert absolute.record.path == outside and absolute.record.boxes == () and absolute.record.external_id is None
    assert (absolute.width, absolute.height) == (40, 30)


def test_csv_and_parquet_say_the_same_as_json_lines(tmp_path: Path) -> None:
    rows = [row("0.png", id="a"), row("1.png", id="b", caption='Two\nlines, "quoted".'), row("gone.png", id="c")]
    for number in range(2):
        flat_picture(tmp_path / f"{number}.png", number)
    texts = [fields | {"boxes": json.dumps(fields["boxes"])} for fields in rows]
    pl.DataFrame(texts).write_csv(tmp_path / "manifest.csv")
    pl.DataFrame(texts).write_parquet(tmp_path / "text.parquet")
    pl.DataFrame([fields | {"boxes": [box | {"box": list(map(float, box["box"]))} for box in fields["boxes"]]} for fields in rows]
                 ).write_parquet(tmp_path / "manifest.parquet")  # fmt: skip
    write_lines(tmp_path / "manifest.jsonl", rows)

    def told(name: str) -> list[tuple]:
        return [
            (entry.record.external_id, entry.sha256, entry.record.caption, entry.record.boxes)
            if isinstance(entry, Picture) else (entry.row, entry.field, entry.reason)
            for entry in judged(tmp_path / name)
        ]  # fmt: skip

    # Rows are counted without the header, so the third is row 3 everywhere.
    assert told("manifest.jsonl")[2] == (3, "image", "missing_file")
    for name in ("manifest.csv", "manifest.parquet", "text.parquet"):
        assert told(name) == told("manifest.jsonl")


def test_bad_cells_of_a_csv_are_one_bad_row_each(tmp_path: Path) -> None:
    flat_picture(tmp_path / "0.png", 0)
    boxes = '"[{""label"": ""a"", ""box"": [1, 2, 3, NaN]}]"'
    (tmp_path / "manifest.csv").write_bytes(
        f"id,image,caption,boxes\n,0.png,fine,{boxes}\n1,0.png,,[]\n2,0.png,fine,[{{\n".encode()
        + b'3,0.png,b\xe9d,[]\n4,0.png,"a"b,[]\n5,0.png,fine\n6,0.png,fine,[],more\n'
    )
    entries = judged(tmp_path / "manifest.csv")
    problems = [entry for entry in entries if isinstance(entry, SourceProblem)]
    assert [(e.row, e.field, e.reason) for e in problems] == [
        (1, "boxes[0].box", "box_not_finite"),
        (3, "boxes", "bad_json"),
        (4, "caption", "bad_encoding"),
        (5, "", "bad_csv"),
        (6, "boxes", "missing_field"),
    ]
    assert isinstance(entries[-1], Picture)
    assert entries[1].record.caption is None  # an empty cell


@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest.csv", "manifest.parquet"])
def test_a_row_may_say_that_it_has_no_caption(tmp_path: Path, name: str) -> None:
    flat_picture(tmp_path / "0.png", 0)
    rows = [row("0.png", boxes=[]) | {"caption": None}]
    if name.endswith("jsonl"):
        write_lines(tmp_path / name, rows)
    else:
        cells = pl.DataFrame(
            [one | {"boxes": json.dumps(one["boxes"])} for one in rows], schema_overrides={"caption": pl.String}
        )
        cells.write_csv(tmp_path / name) if name.endswith("csv") else cells.write_parquet(tmp_path / name)
    add_source(tmp_path / "state", "mine", "manifest", {"path": str(tmp_path / name)})
    (image,) = shard_rows(tmp_path / "state", "mine-00000").images
    assert image["caption"] is None and image["request_key"] is None
    again = add_source(tmp_path / "state", "mine", "manifest", {"path": str(tmp_path / name)})
    assert (again.images_added, again.images_known) == (0, 1)


def test_a_row_that_says_nothing_of_a_caption_is_bad(tmp_path: Path) -> None:
    fields = row("good.png")
    del fields["caption"]
    problem = only_problem(tmp_path, fields)
    assert (problem.field, problem.reason) == ("caption", "missing_field") and '"caption": null' in problem.detail


def test_a_manifest_that_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    def error(path: Path) -> str:
        with pytest.raises(SourceError) as caught:
            add_source(tmp_path / "state", "mine", "manifest", {"path": str(path)})
        return str(caught.value)

    assert "there is no manifest" in error(tmp_path / "none.jsonl")
    assert ".jsonl, .ndjson, .csv, .parquet" in error(tmp_path / "list.txt")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    assert "torn.parquet" in error(tmp_path / "torn.parquet")
    (tmp_path / "other.csv").write_text("picture,text\n")
    assert "no column image, caption, boxes; its columns are picture, text" in error(tmp_path / "other.csv")
    (tmp_path / "empty.csv").write_text("")
    assert "its columns are none" in error(tmp_path / "empty.csv")
    assert not (tmp_path / "state" / "sources" / "mine").exists()


def test_a_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert only_problem(tmp_path, row("pipe.png")).reason == "not_a_file"


def test_a_good_manifest_has_no_problems(tmp_path: Path) -> None:
    assert all(isinstance(entry, Picture) for entry in judged(flat_manifest(tmp_path, range(5))))
