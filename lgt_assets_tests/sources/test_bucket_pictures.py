"""Pictures in buckets, through fsspec: its file system in memory stands where S3's would."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import add_source, read_shard
from lgt_assets.sources.bucket_pictures import BucketPictures
from lgt_assets_tests.sources.pictures import plain_bytes, row, write_lines

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket() -> Iterator[None]:
    from fsspec.implementations.memory import MemoryFileSystem
    from fsspec.registry import _registry

    class Bucket(MemoryFileSystem):
        protocol = "s3"
        store: dict = {}
        cachable = False

    before = dict(_registry)
    fsspec.register_implementation("s3", Bucket, clobber=True)
    Bucket().pipe(
        {"/mine/a.jpg": plain_bytes(1), "/other/a.jpg": plain_bytes(2), "/mine/large.jpg": b"x" * (2 * 2**20)}
    )
    yield
    _registry.clear()
    _registry.update(before)


def test_only_named_buckets_are_read(tmp_path: Path, bucket: None) -> None:
    names = ["mine/a.jpg", "other/a.jpg", "mine/gone.jpg", "mine/large.jpg", "mine/", "mine"]
    manifest = write_lines(tmp_path / "manifest.jsonl", [row(f"s3://{name}", boxes=[]) for name in names])
    options = {"path": str(manifest), "buckets": "mine", "most_megabytes": "1"}
    addition = add_source(tmp_path / "state", "mine", "manifest", options)
    content = read_shard(tmp_path / "state", "mine-00000")
    (picture,) = content.pictures
    assert picture.record.path.read_bytes() == plain_bytes(1) and picture.record.origin == "s3://mine/a.jpg"
    assert [(p.row, p.reason) for p in content.problems] == [
        (2, "unsafe_address"), (3, "missing_file"), (4, "image_too_large"), (5, "unsafe_address"), (6, "unsafe_address"),
    ]  # fmt: skip
    assert addition.images_added == 1


def test_without_s3fs_the_whole_source_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(SourceError, match=r"lgt_assets\[s3\]"):
        BucketPictures(["mine"], 100).fetch("s3://mine/a.jpg")
