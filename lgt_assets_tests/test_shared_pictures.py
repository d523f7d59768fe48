"""Pictures on an object store: read as they were put there, through a cache that stays within its bound."""

import hashlib
import os
from pathlib import Path

import pytest

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, read_image_bytes, read_image_into
from lgt_assets.errors import SettingsError, SourceError, StorageError
from lgt_assets.object_store import ObjectStore
from lgt_assets.release.reading_processes import ReadingProcesses
from lgt_assets.shared_pictures import PictureCache, cache_place
from lgt_assets_tests.object_stores import free_ports
from lgt_assets_tests.sources.pictures import plain_bytes


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def put(root: str, content: bytes) -> ImageReference:
    sha256 = hashlib.sha256(content).hexdigest()
    ObjectStore(root).write(f"images/{sha256}", content)
    return ImageReference(sha256, f"{root}/images/{sha256}")


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_picture_is_read_from_the_store_once(bucket_root: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = put(bucket_root, plain_bytes(1))
    room = memoryview(bytearray(10_000))
    assert read_image_bytes(image) == plain_bytes(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setattr("lgt_assets.object_store.RETRIES", {"max_retries": 0})
    assert read_image_bytes(image) == plain_bytes(1)
    assert bytes(room[: read_image_into(room, image)]) == plain_bytes(1)
    assert read_image_into(room[:10], image) == len(plain_bytes(1)) and not any(room[5000:])
    damaged, *_ = kept(state / "picture-cache")
    damaged.write_bytes(plain_bytes(1)[:-1])
    with pytest.raises(StorageError, match="cannot be read"):  # no half of it is given, and the store is not there
        read_image_bytes(image)


def test_pictures_that_are_gone_or_others_are_named(bucket_root: str) -> None:
    image = put(bucket_root, plain_bytes(1))
    ObjectStore(bucket_root).write(f"images/{image.sha256}", plain_bytes(2))
    with pytest.raises(ImageUnreadable, match=f"{image.sha256} is not the one that was added"):
        read_image_bytes(image)
    ObjectStore(bucket_root).remove([f"images/{image.sha256}"])
    with pytest.raises(ImageUnreadable, match=f"{image.sha256} cannot be read .it is not there"):
        read_image_bytes(image)


def test_processes_that_read_for_an_export_read_the_store(bucket_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_PICTURE_CACHE_GB", "0")
    images = [put(bucket_root, plain_bytes(n)) for n in range(5)]
    pictures = [(f"i{n}", image.sha256, image.uri) for n, image in enumerate(images)]
    readers = ReadingProcesses(2, 2)
    try:
        first, rest = readers.read([pictures[:2], pictures[2:]])
        assert first.to_pylist() + rest.to_pylist() == [plain_bytes(n) for n in range(5)]
        ObjectStore(bucket_root).remove([f"images/{images[0].sha256}"])
        with pytest.raises(SourceError, match="picture i0: .*it is not there"):
            readers.read([pictures])
    finally:
        readers.close()


def test_pictures_unused_for_longest_make_room(tmp_path: Path) -> None:
    contents = [os.urandom(100) for _ in range(40)]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    cache = PictureCache(tmp_path, 1000)
    cache.keep(names[0], contents[0])
    for number, (name, content) in enumerate(zip(names, contents, strict=True)):
        cache.keep(name, content)
        for path in kept(tmp_path):  # the disk's clock may be coarse
            os.utime(path, (number, number)) if path.name == name else None
        assert cache.read(names[0]) == contents[0]
        assert sum(path.stat().st_size for path in kept(tmp_path)) <= 1100
    assert cache.read(names[-1]) == contents[-1] and cache.read(names[1]) is None


def test_a_cache_that_cannot_be_used_costs_no_picture(
    bucket_root: str, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = put(bucket_root, plain_bytes(1))
    in_the_way = state / "picture-cache" / image.sha256[:2] / image.sha256
    in_the_way.mkdir(parents=True)
    assert read_image_bytes(image) == plain_bytes(1) and "is not kept in the cache" in caplog.text
    assert kept(state) == []  # no half of it stays
    in_the_way.rmdir()
    assert read_image_bytes(image) == plain_bytes(1) and kept(state) == [in_the_way]


def test_what_is_too_large_or_no_such_picture_is_not_kept(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, 1000)
    cache.keep(hashlib.sha256(b"x" * 101).hexdigest(), b"x" * 101)
    cache.keep(hashlib.sha256(b"y").hexdigest(), b"x")
    assert kept(tmp_path) == []


@pytest.mark.parametrize("given", ["much", "-1", "inf", "nan"])
def test_a_bound_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_PICTURE_CACHE_GB", given)
    with pytest.raises(SettingsError, match="LGT_PICTURE_CACHE_GB"):
        cache_place()
