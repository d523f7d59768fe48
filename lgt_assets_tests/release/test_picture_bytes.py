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
from lgt_assets.release.reading_processes import ReadingProcesses
from lgt_assets.release.shared_slots import SLOT_BYTES, SLOTS


def pictures_of(folder: Path, sizes: list[int]) -> tuple[list[tuple[str, str, str]], list[bytes]]:
    contents = [hashlib.shake_128(str(number).encode()).digest(size) for number, size in enumerate(sizes)]
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    sha256s = [hashlib.sha256(content).hexdigest() for content in contents]
    return [(f"i{n}", sha256, str(folder / str(n))) for n, sha256 in enumerate(sha256s)], contents


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "reading_processes" in " ".join(child.cmdline())}


def both(reader: PictureBytes, pictures: list[tuple[str, str, str]]) -> list[bytes]:
    """What is read of the pictures in two parts."""
    half = len(pictures) // 2
    first, second = reader.read([pictures[:half], pictures[half:]])
    assert len(first) == half
    return first.to_pylist() + second.to_pylist()


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
    assert both(by_processes, pictures) == contents
    with PictureBytes() as by_threads:
        assert both(by_threads, pictures) == contents


def test_what_is_kept_is_never_written_over(tmp_path: Path, by_processes: PictureBytes):
    """More is kept than there are slots; what is let go of is used again."""
    kept, right = [], []
    for turn in range(2 * SLOTS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        pictures, contents = pictures_of(folder, [turn * 100 + number for number in range(8)])
        read = by_processes.read([pictures[:3], pictures[3:]])
        if turn % 3:
            kept.append(read[0].slice(1))
            right.append(contents[1:3])
    assert [own.to_pylist() for own in kept] == right


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_a_picture_that_is_gone_or_changed_is_named_whoever_reads_it(tmp_path: Path, by_processes: PictureBytes, harm):
    pictures, contents = pictures_of(tmp_path, [100] * 9)
    harm(tmp_path / "7")
    with PictureBytes() as by_threads:
        for reader in (by_threads, by_processes):
            with pytest.raises(SourceError, match="picture i7: picture .*/7 "):
                reader.read([pictures])
    assert both(by_processes, pictures[:7]) == contents[:7]  # and what comes afterwards is right


def test_a_process_that_was_killed_is_told_of(tmp_path: Path):
    pictures, _ = pictures_of(tmp_path, [100] * 9)
    before, reader = children(), ReadingProcesses(2, 4)
    reader.read([pictures])
    for child in children() - before:
        os.kill(child, signal.SIGKILL)
    with pytest.raises(SourceError, match="was killed"):
        reader.read([pictures])
    reader.close()
