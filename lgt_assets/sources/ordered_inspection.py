"""Looks at the pictures of a source's rows in threads, and gives the outcomes in the order of the rows.

Reading, fetching, hashing and decoding leave Python's lock, so threads suffice: nothing is copied between processes. What waits
is bounded in number and in bytes, whatever the number of rows.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from lgt_assets.sources.decoding import Decoded
from lgt_assets.sources.holdings import HoldingsFile, Stamp
from lgt_assets.sources.inspection import check_boxes_inside, check_row, inspect_content, read_picture
from lgt_assets.sources.records import Picture, RowRejected, SourceProblem, SourceRecord

# Fetching waits for others, decoding for this machine: some more threads than processors serve both.
THREADS = min(16, (os.cpu_count() or 1) + 4)
ROWS_AHEAD = 8 * THREADS
BYTES_AHEAD = 64 * 2**20
# What a picture that is yet to be fetched counts for: so many at most are fetched ahead, whatever their size turns out to be.
UNKNOWN_BYTES = BYTES_AHEAD // 16
# A file that changed just now may change again within the same tick of the file system's clock.
SETTLED_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True)
class LookedAt:
    """What became of one row: a picture or a problem; the picture's bytes, where it is no file of its own; and the size and time
    that its file had when it was found whole.
    """

    row: Picture | SourceProblem
    content: bytes | None = None
    stamp: Stamp | None = None


class _BytesAhead:
    """Bytes of pictures that wait in memory, given by the source or fetched."""

    def __init__(self) -> None:
        self.count, self._lock = 0, Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self.count += size


def in_order(rows: Iterable[SourceRecord | SourceProblem], holdings: HoldingsFile) -> Iterator[LookedAt]:
    """Every row looked at, in order. A file that was found whole before, and has the same size and time, is not opened again.

    Raises:
        SourceError: the source as a whole cannot be read.
    """
    waiting: deque[LookedAt | Future[LookedAt]] = deque()
    ahead = _BytesAhead()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="pictures") as threads:
        try:
            for row in rows:
                while waiting and (len(waiting) >= ROWS_AHEAD or ahead.count > BYTES_AHEAD):
                    yield _result(waiting.popleft(), holdings, ahead)
                known = LookedAt(row) if isinstance(row, SourceProblem) else _without_opening(row, holdings)
                if known is None:
                    ahead.add(_bytes_of(row.content))
                waiting.append(known or threads.submit(_look, row, holdings, ahead))
            while waiting:
                yield _result(waiting.popleft(), holdings, ahead)
        finally:
            threads.shutdown(cancel_futures=True)
            if isinstance(rows, Generator):
                rows.close()  # of a source that is not read to its end: files and temporary folders


def _result(outcome: LookedAt | Future[LookedAt], holdings: HoldingsFile, ahead: _BytesAhead) -> LookedAt:
    if isinstance(outcome, LookedAt):
        return outcome
    looked_at = outcome.result()
    ahead.add(-len(looked_at.content or b""))
    if isinstance(looked_at.row, Picture) and looked_at.stamp is not None:
        found = looked_at.row
        place = found.record.origin or str(found.record.path)
        holdings.note_opened(place, looked_at.stamp, found.sha256, found.width, found.height, found.orientation)
    return looked_at


def _without_opening(record: SourceRecord, holdings: HoldingsFile) -> LookedAt | None:
    """The outcome where the row declares all of it, or its picture was found whole before; None where it has to be opened."""
    found, inspected = None, True
    if record.expected_sha256 and record.declared_size and record.origin is None:
        # Which side is up is not known yet: upright boxes are judged when the file is opened.
        found, inspected = (record.expected_sha256, *record.declared_size, 1), False
    elif callable(record.content) and record.origin:
        held = holdings.opened(record.origin, (0, 0))  # an address is fetched once
        found = held if held and holdings.picture(held[0]) else None
    elif record.content is None:
        stamp = _stamp(record)
        found = holdings.opened(str(record.path), stamp) if stamp else None
    if found is None:
        return None
    sha256, looked = found[0], Decoded(*found[1:])
    try:
        check_row(record, sha256)
        if inspected or not record.boxes_upright:
            check_boxes_inside(record, looked)
    except RowRejected as rejected:
        return LookedAt(rejected.problem(record.file, record.row, record.raw))
    return LookedAt(Picture(record, sha256, *looked, inspected=inspected))


def _look(record: SourceRecord, holdings: HoldingsFile, ahead: _BytesAhead) -> LookedAt:
    """Get the picture's bytes and inspect them; called in a thread."""
    content = record.content if isinstance(record.content, bytes) else None
    try:
        if record.content is None:
            stamp = _stamp(record)
            return LookedAt(inspect_content(record, read_picture(record.path)), stamp=stamp)
        if callable(record.content):
            content = record.content()
            ahead.add(len(content) - UNKNOWN_BYTES)
        picture = inspect_content(record, content, holdings.size_of)
        return LookedAt(picture, content, (0, 0) if callable(record.content) else None)
    except RowRejected as rejected:
        ahead.add(-_bytes_of(record.content if content is None else content))
        return LookedAt(rejected.problem(record.file, record.row, record.raw))


def _bytes_of(content: bytes | Callable[[], bytes] | None) -> int:
    """What a picture's content counts for while it waits."""
    if content is None:
        return 0
    return len(content) if isinstance(content, bytes) else UNKNOWN_BYTES


def _stamp(record: SourceRecord) -> Stamp | None:
    """Size and time of a row's file; None where it is not there, or changed just now."""
    try:
        found = record.path.stat()
    except OSError:
        return None  # reading it says why
    settled = found.st_mtime_ns + SETTLED_NANOSECONDS < time.time_ns()
    return (found.st_size, found.st_mtime_ns) if settled else None
