"""Rows that declare sha256 and size: registered unopened, judged when the shard is made."""

import hashlib
from pathlib import Path

import pytest

from lgt_assets.sources import add_source, member_rows, read_shard, shard_rows
from lgt_assets_tests.sources.pictures import HEIGHT, WIDTH, flat_picture, row, write_lines


def declared(folder: Path, number: int, **changes: object) -> dict:
    content = flat_picture(folder / f"{number}.png", number).read_bytes()
    said = {"sha256": hashlib.sha256(content).hexdigest(), "width": WIDTH, "height": HEIGHT, "boxes": []}
    return row(f"{number}.png", id=f"id{number}", **(said | changes))


def add(state: Path, folder: Path, rows: list[dict]):
    manifest = write_lines(folder / "manifest.jsonl", rows)
    return add_source(state, "mine", "manifest", {"path": str(manifest)})


def test_they_are_registered_unopened_and_are_the_same_pictures(tmp_path: Path) -> None:
    rows = [declared(tmp_path, number) for number in range(4)]
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for number in range(4):
        (tmp_path / f"{number}.png").rename(hidden / f"{number}.png")
    state = tmp_path / "state"
    assert add(state, tmp_path, rows).images_added == 4
    assert [found.inspected for found in read_shard(state, "mine-00000").pictures] == [False] * 4
    for number in range(4):
        (hidden / f"{number}.png").rename(tmp_path / f"{number}.png")
    opened = tmp_path / "opened"
    plain = [{name: value for name, value in line.items() if name not in ("sha256", "width")} for line in rows]
    add(opened, tmp_path, plain)
    assert shard_rows(state, "mine-00000").images == shard_rows(opened, "mine-00000").images
    assert member_rows(state, "mine-00000") == member_rows(opened, "mine-00000")
    again = add(state, tmp_path, plain)
    assert (again.images_known, again.new_shards) == (4, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "changed_file"),
        ({"width": WIDTH + 1}, "wrong_size"),
        ({"image": "nowhere.png"}, "missing_file"),
    ],
)
def test_what_is_not_as_declared_is_refused_when_the_shard_is_made(tmp_path: Path, changes: dict, reason: str) -> None:
    state = tmp_path / "state"
    add(state, tmp_path, [declared(tmp_path, 0), declared(tmp_path, 1) | changes])
    rows = shard_rows(state, "mine-00000")
    assert len(rows.images) == 1 and [found["reason"] for found in rows.rejections] == [reason]


def test_a_torn_picture_whose_sha256_is_right_is_refused_when_the_shard_is_made(tmp_path: Path) -> None:
    content = flat_picture(tmp_path / "0.png", 0).read_bytes()[:-30]
    (tmp_path / "0.png").write_bytes(content)
    line = row("0.png", sha256=hashlib.sha256(content).hexdigest(), width=WIDTH, height=HEIGHT, boxes=[])
    assert add(tmp_path / "state", tmp_path, [line]).images_added == 1
    assert [found["reason"] for found in shard_rows(tmp_path / "state", "mine-00000").rejections] == [
        "unreadable_image"
    ]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"sha256": "abc"}, "sha256", "bad_type"),
        ({"width": 0}, "width", "bad_type"),
        ({"height": 1.5}, "height", "bad_type"),
        ({"boxes": [{"label": "ball", "box": [0, 0, WIDTH + 1, 5]}]}, "boxes[0].box", "box_outside"),
        ({"caption": " "}, "caption", "caption_empty"),
    ],
)
def test_what_can_be_judged_unopened_is_judged_at_once(tmp_path: Path, changes: dict, field: str, reason: str) -> None:
    add(tmp_path / "state", tmp_path, [declared(tmp_path, 0, **changes)])
    (problem,) = read_shard(tmp_path / "state", "mine-00000").problems
    assert (problem.field, problem.reason) == (field, reason)
