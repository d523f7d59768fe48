"""Processes that read many small pictures into memory they share with this one.

Threads of one process wait for one another: what is done for a picture of a few kilobytes is mostly Python's work. Only sizes
travel between the processes, and no object is made here for a picture.

Not :mod:`multiprocessing`'s pool: by fork it would copy locks that polars' threads hold, and otherwise it runs the user's main
script anew in each process. This module, which loads nothing large, is the processes' program.
"""

import mmap
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, read_image_into
from lgt_assets.errors import LgtError, SourceError

Picture = tuple[str, str, str]  # image_id, sha256, uri
SLOT_BYTES = 16 << 20


class ReadingProcess:
    """One process with its slot of shared memory; it ends when this object is closed, or this process ends."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        # Without a name, so that nobody need remove it; on Linux never on a disk.
        memory = os.memfd_create("pictures") if hasattr(os, "memfd_create") else _unnamed_file()
        try:
            os.ftruncate(memory, SLOT_BYTES)
            self.slot = memoryview(mmap.mmap(memory, SLOT_BYTES))
            handed = (theirs.fileno(), memory)
            command = [sys.executable, "-m", __name__, *map(str, handed)]
            self.process = subprocess.Popen(
                command,
                pass_fds=handed,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        finally:
            theirs.close()
            os.close(memory)
        self._connection = ours

    def ask(self, pictures: Sequence[Picture]) -> None:
        """Let it read pictures."""
        try:
            self._connection.send(pictures)
        except OSError as error:
            raise self._lost() from error

    def answer(self) -> list[int]:
        """Sizes in bytes of the pictures that now lie in the slot, one after the other: those that had room.

        Raises:
            SourceError: one cannot be read, or is not what its sha256 says; or the process was killed.
        """
        try:
            sizes, problem = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if problem:
            raise SourceError(problem)
        return sizes

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self.process.wait()

    def _lost(self) -> SourceError:
        return SourceError(
            f"process {self.process.pid}, which read pictures, was killed (is memory short?): start again"
        )


class ReadingProcesses:
    """Reads pictures by ``count`` processes at once."""

    def __init__(self, count: int):
        self._processes = [ReadingProcess() for _ in range(count)]

    def read(self, pictures: Sequence[Picture]) -> tuple[bytes, list[int]]:
        """The first of ``pictures``, as many as there is room for: none if the first is larger than a slot.

        Returns:
            Their bytes, one picture after the other, and each one's size in bytes.

        Raises:
            SourceError: one cannot be read, or is not what its sha256 says.
        """
        each = -(-len(pictures) // len(self._processes))
        parts = [pictures[start : start + each] for start in range(0, len(pictures), each)]
        asked = list(zip(self._processes, parts, strict=False))
        for process, part in asked:
            process.ask(part)
        answers = [_answer_or_error(process) for process, _ in asked]  # of all: nobody writes into a slot any more
        pieces, sizes = [], []
        for (process, part), own in zip(asked, answers, strict=True):
            if isinstance(own, SourceError):
                raise own
            pieces.append(process.slot[: sum(own)])
            sizes += own
            if len(own) < len(part):
                break  # what the next process read does not follow on what this one read
        return b"".join(pieces), sizes

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()


def processes_worth_their_while() -> int:
    """How many read faster than fewer, on this machine."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _answer_or_error(process: ReadingProcess) -> list[int] | SourceError:
    try:
        return process.answer()
    except SourceError as error:
        return error


def _unnamed_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _fill(room: memoryview, pictures: Sequence[Picture]) -> tuple[list[int], str]:
    """Read pictures, one after the other, until there is no room for the next: the sizes of those read, or what went wrong."""
    sizes, end = [], 0
    for image_id, sha256, uri in pictures:
        try:
            size = read_image_into(room[end:], ImageReference(sha256, uri))
        except (ImageUnreadable, LgtError) as error:
            return [], f"picture {image_id}: {error}"
        if size > len(room) - end:
            break
        sizes.append(size)
        end += size
    return sizes, ""


def _serve(connection: Connection, room: memoryview) -> None:
    while True:
        try:
            pictures = connection.recv()
        except EOFError:
            return
        connection.send(_fill(room, pictures))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's Ctrl-C is for the one that asks; this ends with it
    _serve(Connection(int(sys.argv[1])), memoryview(mmap.mmap(int(sys.argv[2]), SLOT_BYTES)))
