"""DOCCI as it is published: docci_descriptions.jsonlines beside images/."""

from pathlib import Path

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import add_source, read_shard
from lgt_assets_tests.sources.pictures import plain_picture, write_lines


def line(number: int, part: str = "train", **changes: object) -> dict:
    name = f"{part}_{number:05d}"
    return {
        "example_id": name, "split": part, "image_file": f"{name}.jpg", "description": "An indoor angled down view of a cat.",
    } | changes  # fmt: skip


@pytest.fixture
def docci(tmp_path: Path) -> Path:
    folder = tmp_path / "docci"
    for number, part in enumerate(["train", "test", "qual_dev", "qual_test"]):
        plain_picture(folder / "images" / f"{part}_{number:05d}.jpg", number)
    lines = [line(n, part) for n, part in enumerate(["train", "test", "qual_dev", "qual_test"])]
    lines += [line(9), line(0, "val"), line(1, "test", image_file="../secret.jpg"), line(2, description=None), "{"]
    write_lines(folder / "docci_descriptions.jsonlines", lines)
    return folder


def test_every_line_is_a_picture_or_a_problem(tmp_path: Path, docci: Path) -> None:
    addition = add_source(tmp_path / "state", "docci", "docci", {"path": str(docci)})
    assert (addition.images_added, addition.problems_added) == (4, 5)
    content = read_shard(tmp_path / "state", "docci-00000")
    first = content.pictures[0].record
    assert (first.external_id, first.path) == ("train_00000", docci / "images" / "train_00000.jpg")
    assert (first.license, first.caption_source, first.boxes) == ("CC-BY-4.0", "human", ())
    assert [(p.row, p.field, p.reason) for p in content.problems] == [
        (5, "image", "missing_file"), (6, "split", "bad_split"), (7, "image", "unsafe_path"),
        (8, "description", "missing_field"), (9, "", "bad_json"),
    ]  # fmt: skip


def test_one_part_alone_and_the_rest_later(tmp_path: Path, docci: Path) -> None:
    state = tmp_path / "state"
    options = {"path": str(docci), "part": "qual_dev"}
    assert add_source(state, "docci", "docci", options).images_added == 1
    addition = add_source(state, "docci", "docci", {"path": str(docci)})
    assert (addition.images_added, addition.images_known) == (3, 1)


def test_a_folder_without_descriptions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="beside images/"):
        add_source(tmp_path / "state", "docci", "docci", {"path": str(tmp_path)})
