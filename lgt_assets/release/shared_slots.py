"""Memory in equal pieces that other processes fill, and arrays that lie in it without being copied."""

import mmap
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SLOT_BYTES = 16 << 20
SLOTS = 24  # as many as an export holds at once, from reading to writing; with 16 every fourth array was a copy


class SharedSlots:
    """Slots that are free, in use by whoever fills them, or held by an array; an array's slot is free again when it is gone.

    Args:
        filling: how many slots are filled at once. So many never are held by arrays: where they would be, content is copied.

    Attributes:
        file: descriptor of the memory, for the processes that fill it.
    """

    def __init__(self, filling: int) -> None:
        # Without a name, so that nobody need remove it; on Linux never on a disk.
        self.file = os.memfd_create("pictures") if hasattr(os, "memfd_create") else _unnamed_file()
        count = SLOTS + filling
        os.ftruncate(self.file, count * SLOT_BYTES)
        self._memory = mmap.mmap(self.file, count * SLOT_BYTES)
        self._filling = filling
        self._free = deque(range(count))  # appended to by whichever thread drops an array

    def take(self) -> int:
        """A free slot, to be filled."""
        return self._free.popleft()

    def give_back(self, slot: int) -> None:
        """A slot that was taken holds nothing of use."""
        self._free.append(slot)

    def array(self, slot: int, sizes: Sequence[int]) -> "pa.LargeBinaryArray":
        """What lies in a slot that was taken, one value after the other.

        Args:
            slot: nobody fills it any more.
            sizes: of the values, in bytes.
        """
        import numpy as np
        import pyarrow as pa

        offsets = pa.array(accumulate(sizes, initial=0), pa.int64(), size=len(sizes) + 1)
        values = np.frombuffer(self._memory, np.uint8, sum(sizes), slot * SLOT_BYTES)
        if len(self._free) >= self._filling:
            weakref.finalize(values, self._free.append, slot).atexit = False
        else:
            values = values.copy()
            self.give_back(slot)
        buffers = [None, offsets.buffers()[1], pa.py_buffer(values)]
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(sizes), buffers)

    def close(self) -> None:
        """Let go of the file; the memory goes with the last array."""
        os.close(self.file)


def _unnamed_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
