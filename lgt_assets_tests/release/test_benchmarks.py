"""Manifests of benchmarks are read whole or not at all."""

import json

import polars as pl
import pytest
from PIL import Image

from lgt_assets.errors import SourceError
from lgt_assets.release.benchmarks import read_benchmarks

HASH = "0123456789abcdef"


def write(folder, name: str, rows: list[dict]):
    path = folder / name
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(rows)
        (frame.write_csv if path.suffix == ".csv" else frame.write_parquet)(path)
    return path


@pytest.mark.parametrize("name", ["vqa.jsonl", "vqa.csv", "vqa.parquet"])
def test_pictures_hashes_and_questions_are_read_with_their_places(tmp_path, name):
    Image.linear_gradient("L").save(tmp_path / "one.png")
    rows = [
        {"image": "one.png", "phash": None, "question": "What is it?", "answer": "unread"},
        {"image": None, "phash": HASH.upper(), "question": None, "answer": "unread"},
    ]
    found = read_benchmarks([write(tmp_path, name, rows)])
    assert found.questions.rows() == [("What is it?", f"{name}, row 1")]
    assert found.pictures["where"].to_list() == [f"{name}, row 1", f"{name}, row 2"]
    assert found.pictures["value"][1] == HASH and found.pictures["value"][0] != HASH


def test_nothing_listed_is_nothing_found():
    found = read_benchmarks([])
    assert found.pictures.height == found.questions.height == 0


BAD = [
    ({"image": "gone.png"}, "row 2, image: there is no"),
    ({"image": "broken.png"}, "row 2, image: .*is not a whole picture"),
    ({"phash": "12"}, "row 2, phash: '12' is not a pHash of 64 bits"),
    ({"question": " "}, "row 2, question: ' ' is not a text"),
    ({"question": 3}, "row 2, question: '3' is not a text"),
    ({"text": "?"}, "row 2, whole row: none of image, phash, question is given"),
    ([1], "row 2, whole row: not an object"),
]


@pytest.mark.parametrize(("bad", "words"), BAD)
def test_a_bad_row_is_named_and_never_passed_over(tmp_path, bad, words):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    path = write(tmp_path, "vqa.jsonl", [{"question": "?!"}, bad])
    with pytest.raises(SourceError, match=words) as error:
        read_benchmarks([path])
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", "{", "a.jsonl, row 1: not one JSON object"),
        ("a.parquet", "x", "cannot be read"),
        ("a.txt", "x", "ends in .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=words):
        read_benchmarks([tmp_path / name])


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"there is no manifest .*gone\.csv"):
        read_benchmarks([tmp_path / "gone.csv"])
