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
from collections.abc import Sequence
from itertools import cycle
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, read_image_into
from lgt_assets.errors import LgtError, SourceError
from lgt_assets.release.shared_slots import SLOT_BYTES, SharedSlots

if TYPE_CHECKING:
    import pyarrow as pa

Picture = tuple[str, str, str]  # image_id, sha256, uri


class ReadingProcess:
    """One process that fills slots; it ends when this object is closed, or this process ends."""

    def __init__(self, slots: SharedSlots) -> None:
        ours, theirs = Pipe()
        handed = (theirs.fileno(), slots.file)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, *map(str, handed)],
                pass_fds=handed,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        finally:
            theirs.close()
        self._connection = ours

    def ask(self, slot: int, pictures: Sequence[Picture]) -> None:
        """Let it read pictures into a slot."""
        try:
            self._connection.send((slot, pictures))
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
    """Reads pictures by ``count`` processes at once.

    Args:
        count: processes.
        parts: how many are asked for at once, at most.
    """

    def __init__(self, count: int, parts: int):
        self._slots = SharedSlots(parts)
        self._processes = [ReadingProcess(self._slots) for _ in range(count)]

    def read(self, parts: Sequence[Sequence[Picture]]) -> list["pa.LargeBinaryArray"]:
        """The first pictures of each part, as many as there is room for: none if the first is larger than a slot.

        Raises:
            SourceError: one cannot be read, or is not what its sha256 says.
        """
        asked = [(self._slots.take(), process) for process, _ in zip(cycle(self._processes), parts, strict=False)]
        for (slot, process), part in zip(asked, parts, strict=True):
            process.ask(slot, part)
        answers = [_answer_or_error(process) for _slot, process in asked]  # of all: nobody fills a slot any more
        problem = next((own for own in answers if isinstance(own, SourceError)), None)
        if problem is not None:
            for slot, _process in asked:
                self._slots.give_back(slot)
            raise problem
        return [self._slots.array(slot, sizes) for (slot, _process), sizes in zip(asked, answers, strict=True)]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()
        self._slots.close()


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _answer_or_error(process: ReadingProcess) -> list[int] | SourceError:
    try:
        return process.answer()
    except SourceError as error:
        return error


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


def _serve(connection: Connection, memory: memoryview) -> None:
    while True:
        try:
            slot, pictures = connection.recv()
        except EOFError:
            return
        connection.send(_fill(memory[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES], pictures))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's Ctrl-C is for the one that asks; this ends with it
    _serve(Connection(int(sys.argv[1])), memoryview(mmap.mmap(int(sys.argv[2]), 0)))
