"""Tar files by WebDataset's rules of names."""

import gc
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.errors import SourceError
from lgt_assets.sources import SourceBox, add_source, read_shard, shard_rows
from lgt_assets.sources.records import RowRejected
from lgt_assets.sources.tar_samples import samples_of
from lgt_assets_tests.sources.pictures import plain_bytes


def write_tar(path: Path, members: list[tuple[str, bytes]], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def sample(number: int, kind: str = "jpg", **fields: object) -> list[tuple[str, bytes]]:
    """A sample as img2dataset writes them."""
    content = plain_bytes(number, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[kind])
    found = {
        "caption": "A cat.",
        "url": "https://example.org/a.jpg",
        "key": f"{number:09d}",
        "status": "success",
    } | fields
    return [
        (f"{number:09d}.{kind}", content), (f"{number:09d}.json", json.dumps(found).encode()),
        (f"{number:09d}.txt", b"A grey cat.\n"),
    ]  # fmt: skip


def add(state: Path, path: Path, **options: str):
    return add_source(state, "web", "webdataset", {"path": str(path)} | options)


def test_samples_of_all_shards_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    boxes = [{"label": "cat", "box": [1, 2, 20, 25.5], "phrase": "grey cat"}]
    write_tar(tmp_path / "tars" / "00001.tar", sample(2, "webp"))
    write_tar(tmp_path / "tars" / "00000.tar", [*sample(0, boxes=boxes, license="CC0"), *sample(1, "png")])
    write_tar(tmp_path / "tars" / "00002.tar.gz", sample(3), "w:gz")
    state = tmp_path / "state"
    assert add(state, tmp_path / "tars").images_added == 4
    pictures = read_shard(state, "web-00000").pictures
    assert [found.record.external_id for found in pictures] == [f"{n:09d}" for n in range(4)]
    first = pictures[0].record
    assert (first.caption, first.license, first.boxes) == (
        "A grey cat.",
        "CC0",
        (SourceBox("cat", "grey cat", 1, 2, 20, 25.5),),
    )
    assert first.origin == f"{tmp_path}/tars/00000.tar#000000000.jpg"
    assert first.path == state / "images" / "web" / pictures[0].sha256[:2] / pictures[0].sha256
    assert first.path.read_bytes() == sample(0)[0][1]  # byte for byte
    assert len(shard_rows(state, "web-00000").images) == 4
    assert add(state, tmp_path / "tars").images_known == 4


def test_a_kept_picture_that_was_lost_is_kept_again(tmp_path: Path) -> None:
    path, state = write_tar(tmp_path / "0.tar", sample(0)), tmp_path / "state"
    add(state, path)
    shutil.rmtree(state / "images")
    (lost,) = shard_rows(state, "web-00000").rejections
    assert f"kept of {path}#000000000.jpg, is gone; add the source again" in lost["detail"]
    assert add(state, path).images_known == 1
    assert len(shard_rows(state, "web-00000").images) == 1


def test_shards_are_told_from_what_lies_beside_them(tmp_path: Path) -> None:
    write_tar(tmp_path / "tars" / "0.tgz", sample(0), "w:gz")
    for name in ("0.tar.idx", "0.tar.index.json", "0_stats.json"):
        (tmp_path / "tars" / name).write_text("{}")
    addition = add(tmp_path / "state", tmp_path / "tars")
    assert (addition.images_added, addition.problems_added) == (1, 0)


def test_a_torn_file_is_row_one_of_itself(tmp_path: Path) -> None:
    write_tar(tmp_path / "tars" / "0.tar", [*sample(0), *sample(1)])
    (tmp_path / "tars" / "1.tar").write_bytes(b"no tar" * 200)
    add(tmp_path / "state", tmp_path / "tars")
    (problem,) = read_shard(tmp_path / "state", "web-00000").problems
    assert (problem.row, problem.reason) == (1, "torn_container")


def test_marks_of_byte_order_are_no_text(tmp_path: Path) -> None:
    members = [
        ("0.jpg", plain_bytes(0)), ("0.txt", "\ufeffA cat.".encode()),
        ("1.jpg", plain_bytes(1)), ("1.json", '\ufeff{"caption": "A dog."}'.encode()),
    ]  # fmt: skip
    assert add(tmp_path / "state", write_tar(tmp_path / "0.tar", members)).images_added == 2
    captions = [found.record.caption for found in read_shard(tmp_path / "state", "web-00000").pictures]
    assert captions == ["A cat.", "A dog."]


def test_a_caption_may_be_a_field_and_a_pattern_may_choose_shards(tmp_path: Path) -> None:
    members = [member for member in sample(0, long="A long text.") if not member[0].endswith("txt")]
    write_tar(tmp_path / "train-0.tar", members)
    write_tar(tmp_path / "test-0.tar", sample(1))
    assert add(tmp_path / "state", tmp_path / "train-*.tar", caption="long").images_added == 1
    assert read_shard(tmp_path / "state", "web-00000").pictures[0].record.caption == "A long text."


def test_neither_text_nor_field_is_a_picture_without_a_caption(tmp_path: Path) -> None:
    members = [
        ("0.jpg", plain_bytes(0, "JPEG")),
        ("1.jpg", plain_bytes(1, "JPEG")), ("1.json", b'{"boxes": [{"label": "cat", "box": [1, 2, 3, 4]}]}'),
        ("2.jpg", plain_bytes(2, "JPEG")), ("2.json", b'{"caption": null}'),
        ("3.jpg", plain_bytes(3, "JPEG")), ("3.json", b'{"caption": 7}'),
        ("4.jpg", plain_bytes(4, "JPEG")), ("4.txt", b"A cat."),
    ]  # fmt: skip
    write_tar(tmp_path / "0.tar", members)
    assert add(tmp_path / "state", tmp_path / "0.tar").without_caption == 3
    content = read_shard(tmp_path / "state", "web-00000")
    assert [found.record.caption for found in content.pictures] == [None, None, None, "A cat."]
    assert [(p.row, p.field, p.reason) for p in content.problems] == [(4, "caption", "bad_type")]
    images = shard_rows(tmp_path / "state", "web-00000").images
    assert [image["caption"] for image in images] == [None, None, None, "A cat."]


def test_bad_samples_are_problems_beside_good_ones(tmp_path: Path) -> None:
    picture = plain_bytes(7, "JPEG")
    write_tar(
        tmp_path / "0.tar",
        [
            ("__index__.json", b"{}"), ("README", b"no sample"),
            ("a/1.JPG", picture), ("a/1.txt", b"fine"),
            ("2.txt", b"no picture"),
            ("3.jpg", plain_bytes(3, "JPEG")), ("3.png", picture), ("3.txt", b"two"),
            ("4.jpg", plain_bytes(4, "JPEG")), ("4.json", b"[]"),
            ("5.jpg", plain_bytes(5, "JPEG")), ("5.json", b"{" * 5),
            ("6.jpg", plain_bytes(6, "JPEG")), ("6.txt", b" \n"),
            ("7.jpg", plain_bytes(8, "JPEG")), ("7.jpg", picture), ("7.txt", b"twice"),
            ("8.jpg", plain_bytes(9, "JPEG")[:200]), ("8.txt", b"cut"),
            ("9.jpg", b""), ("9.txt", b"empty"),
            ("../../etc/passwd.jpg", plain_bytes(10, "JPEG")), ("../../etc/passwd.txt", b"a name, no place"),
        ],
    )  # fmt: skip
    addition = add(tmp_path / "state", tmp_path / "0.tar")
    content = read_shard(tmp_path / "state", "web-00000")
    assert [found.record.external_id for found in content.pictures] == ["a/1", "../../etc/passwd"]
    assert addition.images_added == 2
    assert [(p.row, p.field, p.reason) for p in content.problems] == [
        (2, "image", "missing_field"), (3, "image", "several_pictures"), (4, "json", "bad_type"), (5, "json", "bad_json"),
        (6, "caption", "caption_empty"), (7, "jpg", "duplicate_member"), (8, "image", "unreadable_image"),
        (9, "image", "unreadable_image"),
    ]  # fmt: skip
    kept = [path for path in (tmp_path / "state" / "images").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {found.sha256 for found in content.pictures}  # nothing of bad ones is kept


def test_a_torn_file_is_one_problem_and_is_taken_up_when_it_is_whole(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "tars" / "0.tar", [*sample(0), *sample(1), *sample(2)]).read_bytes()
    write_tar(tmp_path / "tars" / "1.tar", sample(3))
    (tmp_path / "tars" / "0.tar").write_bytes(whole[: len(whole) // 2])
    state = tmp_path / "state"
    first = add(state, tmp_path / "tars")
    assert [p.reason for p in read_shard(state, "web-00000").problems] == ["torn_container"]
    (tmp_path / "tars" / "0.tar").write_bytes(whole)
    second = add(state, tmp_path / "tars")
    assert first.images_added + second.images_added == 4 and second.images_known == first.images_added


def test_where_there_is_no_tar_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no .tar file"):
        add(tmp_path / "state", tmp_path)


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_samples_or_a_torn_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.tar"
    path.write_bytes(content)
    try:
        list(samples_of(path))
    except RowRejected as rejected:
        assert rejected.reason == "torn_container"


@settings(deadline=None)  # the first lzma of a process takes long
@given(
    kind=st.sampled_from(["w", "w:gz", "w:xz", "w:bz2"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
)
def test_changed_bytes_of_a_tar_are_samples_or_a_torn_file(
    tmp_path_factory: pytest.TempPathFactory, kind: str, changes: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.tar"
    content = bytearray(
        write_tar(path, [("a.jpg", b"picture"), ("a.txt", b"text"), ("b" * 150 + ".jpg", b"long")], kind).read_bytes()
    )
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(content)
    try:
        assert all(sample.members or sample.rejected for sample in samples_of(path))
    except RowRejected as rejected:
        assert rejected.reason == "torn_container"


def test_headers_of_a_long_file_are_not_kept(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "long.tar", [(f"{number}.txt", b"text") for number in range(500)])
    samples = samples_of(path)
    for _ in range(499):
        next(samples)
    assert sum(type(found) is tarfile.TarInfo for found in gc.get_objects()) < 10
    assert next(samples).key == "499"
