"""Tar files that are damaged, or promise more than they may."""

import gzip
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from lgt_assets.sources import tar_samples
from lgt_assets.sources.records import RowRejected
from lgt_assets.sources.tar_samples import MAX_HEADER_BYTES, samples_of
from lgt_assets_tests.sources.test_webdataset import sample, write_tar


def test_a_damaged_header_is_a_tear_and_not_the_end(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [*sample(0), *sample(1), *sample(2)])
    with tarfile.open(path) as tar:
        offset = tar.getmember("000000001.jpg").offset
    content = bytearray(path.read_bytes())
    content[offset + 100] ^= 0xFF
    path.write_bytes(content)
    found = samples_of(path)
    with pytest.raises(RowRejected, match="damaged header") as raised:
        for _ in range(3):
            next(found)
    assert raised.value.reason == "torn_container"


def test_a_header_that_promises_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.XHDTYPE, 64 * MAX_HEADER_BYTES
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT) + bytes(header.size + 1024))
    tracemalloc.start()
    try:
        with pytest.raises(RowRejected, match="a header of"):
            list(samples_of(path))
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_members_of_a_sample_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_samples, "MAX_BYTES", 1000)
    path = write_tar(tmp_path / "a.tar", [("0.a", bytes(600)), ("0.b", bytes(600)), ("1.a", bytes(600))])
    first, second = samples_of(path)
    assert (first.rejected and first.rejected.reason, first.members) == ("image_too_large", {})
    assert second.rejected is None
