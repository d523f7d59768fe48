"""Rows that wait on disk: a list that keeps its newest part in memory and the rest in a file without a name."""

import pickle
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lgt_assets.errors import StorageError

BATCH_ROWS = 2048


class Spool:
    """A list that grows at its end and is read from its start, any number of times; memory holds a batch or two.

    One thread may append while others read. The file is unlinked as soon as it is opened: nobody else reads or writes it, and
    it vanishes with the process.

    Args:
        rows: to begin with.
        folder: where the file lies, made when it is needed; by default the system's temporary folder.
        batch_rows: how many rows go to disk at a time.
    """

    def __init__(self, rows: Iterable[Any] = (), *, folder: Path | None = None, batch_rows: int = BATCH_ROWS) -> None:
        self._folder, self._batch_rows = folder, batch_rows
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._ends: list[int] = []  # of the batches in the file, in bytes
        self._taken = 0
        self._newest: list[Any] = []
        for row in rows:
            self.append(row)

    def append(self, row: Any) -> None:
        """Add one row."""
        self._newest.append(row)
        if len(self._newest) >= self._batch_rows:
            self._spill()

    def __len__(self) -> int:
        return (len(self._ends) - self._taken) * self._batch_rows + len(self._newest)

    def __iter__(self) -> Iterator[Any]:
        for batch in self.batches():
            yield from batch

    def __getitem__(self, index: int) -> Any:
        index = index + len(self) if index < 0 else index
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        number = self._taken + index // self._batch_rows
        batch = self._batch(number) if number < len(self._ends) else self._newest
        return batch[index % self._batch_rows]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spool | list) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def batches(self) -> Iterator[list[Any]]:
        """The rows, some at a time."""
        number = self._taken
        while number < len(self._ends):  # what is appended meanwhile is read too
            yield self._batch(number)
            number += 1
        newest = self._newest  # a spill while its rows are read puts a new list in its place
        if newest and number == len(self._ends):
            yield list(newest)

    def take_batch(self) -> list[Any]:
        """Remove the oldest rows, a batch of them; empty when there are none."""
        if self._taken < len(self._ends):
            self._taken += 1
            return self._batch(self._taken - 1)
        if self._file is not None:  # all of it was taken: its room is free again
            self._file.truncate(0)
        self._ends, self._taken, newest, self._newest = [], 0, self._newest, []
        return newest

    def _batch(self, number: int) -> list[Any]:
        assert self._file is not None
        with self._lock:
            self._file.seek(self._ends[number - 1] if number else 0)
            return pickle.load(self._file)

    def _spill(self) -> None:
        try:
            if self._file is None:
                if self._folder is not None:
                    self._folder.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._folder, prefix="spool-")
            with self._lock:
                self._file.seek(self._ends[-1] if self._ends else 0)
                pickle.dump(self._newest, self._file, protocol=pickle.HIGHEST_PROTOCOL)
                self._ends.append(self._file.tell())
                self._newest = []
        except OSError as error:
            raise StorageError(
                f"rows cannot wait on disk in {self._folder or tempfile.gettempdir()}: {error}"
            ) from error


class SpooledQueue:
    """First in, first out; what waits beyond two batches lies on disk. Not for several threads at once."""

    def __init__(self, *, folder: Path | None = None, batch_rows: int = BATCH_ROWS) -> None:
        self._folder, self._batch_rows = folder, batch_rows
        self._head: deque[Any] = deque()
        self._tail = Spool(folder=folder, batch_rows=batch_rows)

    def __len__(self) -> int:
        return len(self._head) + len(self._tail)

    def append(self, item: Any) -> None:
        """Put ``item`` last."""
        if len(self._tail) or len(self._head) >= 2 * self._batch_rows:
            self._tail.append(item)
        else:
            self._head.append(item)

    def first(self) -> Any:
        """The item that is next; IndexError where there is none."""
        if not self._head and len(self._tail):
            self._head.extend(self._tail.take_batch())
        return self._head[0]

    def popleft(self) -> Any:
        """Take the item that is next; IndexError where there is none."""
        self.first()
        return self._head.popleft()
