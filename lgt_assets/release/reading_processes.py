"""Processes that read many small pictures into memory they share with this one.

Threads of one process wait for one another: what is done for a picture of a few kilobytes is mostly Python's work. Only sizes
travel between the processes, and no object is made here for a picture. Light: each process imports this module anew.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_char

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, read_image_into
from lgt_assets.errors import SourceError

Picture = tuple[str, str, str]  # image_id, sha256, uri
SLOT_BYTES = 16 << 20
_slots: list[memoryview] = []  # of a reading process


class ReadingProcesses:
    """Reads pictures by ``count`` processes at once, each of which has a slot of shared memory."""

    def __init__(self, count: int):
        # Not fork: the threads of polars would not be there in the child, but the locks they held would.
        context = multiprocessing.get_context("spawn")
        slots = [context.RawArray(c_char, SLOT_BYTES) for _ in range(count)]
        self._slots = [memoryview(slot).cast("B") for slot in slots]
        self._pool = ProcessPoolExecutor(count, context, _take_slots, (slots,))

    def read(self, pictures: Sequence[Picture]) -> tuple[bytes, list[int]]:
        """The first of ``pictures``, as many as there is room for: none if the first is larger than a slot.

        Returns:
            Their bytes, one picture after the other, and each one's size in bytes.

        Raises:
            SourceError: one cannot be read, or is not what its sha256 says.
        """
        each = -(-len(pictures) // len(self._slots))
        parts = [pictures[start : start + each] for start in range(0, len(pictures), each)]
        asked = [self._pool.submit(_fill, slot, part) for slot, part in enumerate(parts)]
        wait(asked)  # also where one fails: nothing is written into a slot any more
        pieces: list[memoryview] = []
        sizes: list[int] = []
        try:
            for slot, (part, answer) in enumerate(zip(parts, asked, strict=True)):
                own = answer.result()
                pieces.append(self._slots[slot][: sum(own)])
                sizes += own
                if len(own) < len(part):
                    break  # what the next process read does not follow on what this one read
        except BrokenProcessPool as error:
            raise SourceError("a process that reads pictures was killed (is memory short?): start again") from error
        return b"".join(pieces), sizes

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _take_slots(slots: list) -> None:
    _slots[:] = [memoryview(slot).cast("B") for slot in slots]


def _fill(slot: int, pictures: Sequence[Picture]) -> list[int]:
    """Read pictures into a slot, one after the other, until there is no room for the next; the sizes of those read."""
    room, sizes, end = _slots[slot], [], 0
    for image_id, sha256, uri in pictures:
        try:
            size = read_image_into(room[end:], ImageReference(sha256, uri))
        except ImageUnreadable as error:
            raise SourceError(f"picture {image_id}: {error}") from error
        if size > len(room) - end:
            break
        sizes.append(size)
        end += size
    return sizes


def processes_worth_their_while() -> int:
    """How many read faster than fewer, on this machine."""
    return min(4, len(os.sched_getaffinity(0)))
