"""Pictures are read the same by threads and by processes, and no process stays."""

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lgt_assets.errors import SourceError
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.reading_processes import SLOT_BYTES, ReadingProcesses


def pictures_of(folder: Path, sizes: list[int]) -> tuple[list[tuple[str, str, str]], list[bytes]]:
    contents = [hashlib.shake_128(str(number).encode()).digest(size) for number, size in enumerate(sizes)]
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    sha256s = [hashlib.sha256(content).hexdigest() for content in contents]
    return [(f"i{n}", sha256, str(folder / str(n))) for n, sha256 in enumerate(sha256s)], contents


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "reading_processes" in " ".join(child.cmdline())}


@pytest.fixture(scope="module")
def by_processes() -> Iterator[PictureBytes]:
    before = children()
    with PictureBytes(few=0) as pictures:
        yield pictures
    assert children() == before


@pytest.mark.parametrize(
    "sizes",
    [
        [], [1], [8192] * 700, [0, 5, 0],
        [SLOT_BYTES // 2 + 1] * 5,  # each fills a slot to more than half, so that the next one has no room
        [10, SLOT_BYTES + 1, 10, SLOT_BYTES],  # larger than a slot, as large as one
    ],
)  # fmt: skip
def test_processes_read_what_is_there_in_order(tmp_path: Path, by_processes: PictureBytes, sizes: list[int]):
    pictures, contents = pictures_of(tmp_path, sizes)
    assert by_processes.read(pictures).to_pylist() == contents
    with PictureBytes() as by_threads:
        assert by_threads.read(pictures).to_pylist() == contents


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_a_picture_that_is_gone_or_changed_is_named_whoever_reads_it(tmp_path: Path, by_processes: PictureBytes, harm):
    pictures, contents = pictures_of(tmp_path, [100] * 9)
    harm(tmp_path / "7")
    with PictureBytes() as by_threads:
        for reader in (by_threads, by_processes):
            with pytest.raises(SourceError, match="picture i7: picture .*/7 "):
                reader.read(pictures)
    assert by_processes.read(pictures[:7]).to_pylist() == contents[:7]  # and what comes afterwards is right


def test_a_process_that_was_killed_is_told_of(tmp_path: Path):
    pictures, _ = pictures_of(tmp_path, [100] * 9)
    before, reader = children(), ReadingProcesses(2)
    reader.read(pictures)
    for child in children() - before:
        os.kill(child, signal.SIGKILL)
    with pytest.raises(SourceError, match="was killed"):
        reader.read(pictures)
    reader.close()
