"""Looks at the pictures of a source's rows in threads, and gives the outcomes in the order of the rows.

Reading, fetching, hashing and decoding leave Python's lock, so threads suffice: nothing is copied between processes. What waits
is bounded in number and in bytes, whatever the number of rows.
"""

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from lgt_assets.sources.decoding import Decoded
from lgt_assets.sources.holdings import HoldingsFile, Stamp
from lgt_assets.sources.inspection import check_boxes_inside, check_row, inspect_content, read_picture
from lgt_assets.sources.records import Picture, RowRejected, SourceProblem, SourceRecord

# Fetching waits for others, decoding for this machine: some more threads than processors serve both.
THREADS = min(16, (os.cpu_count() or 1) + 4)
ROWS_AHEAD = 8 * THREADS
BYTES_AHEAD = 64 * 2**20
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


def in_order(rows: Iterable[SourceRecord | SourceProblem], holdings: HoldingsFile) -> Iterator[LookedAt]:
    """Every row looked at, in order. A file that was found whole before, and has the same size and time, is not opened again.

    Raises:
        SourceError: the source as a whole cannot be read.
    """
    waiting: deque[tuple[LookedAt | Future[LookedAt], int]] = deque()
    bytes_ahead = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="pictures") as threads, closing(iter(rows)) as source:
        try:
            for row in source:
                size = len(row.content) if isinstance(row, SourceRecord) and isinstance(row.content, bytes) else 0
                while waiting and (len(waiting) >= ROWS_AHEAD or bytes_ahead + size > BYTES_AHEAD):
                    outcome, held = waiting.popleft()
                    bytes_ahead -= held
                    yield _result(outcome, holdings)
                known = LookedAt(row) if isinstance(row, SourceProblem) else _without_opening(row, holdings)
                waiting.append((known or threads.submit(_look, row, holdings), size))
                bytes_ahead += size
            while waiting:
                yield _result(waiting.popleft()[0], holdings)
        finally:
            threads.shutdown(cancel_futures=True)


def _result(outcome: LookedAt | Future[LookedAt], holdings: HoldingsFile) -> LookedAt:
    if isinstance(outcome, LookedAt):
        return outcome
    looked_at = outcome.result()
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


def _look(record: SourceRecord, holdings: HoldingsFile) -> LookedAt:
    """Get the picture's bytes and inspect them; called in a thread."""
    try:
        if record.content is None:
            stamp = _stamp(record)
            return LookedAt(inspect_content(record, read_picture(record.path)), stamp=stamp)
        content = record.content() if callable(record.content) else record.content
        picture = inspect_content(record, content, holdings.size_of)
        return LookedAt(picture, content, (0, 0) if callable(record.content) else None)
    except RowRejected as rejected:
        return LookedAt(rejected.problem(record.file, record.row, record.raw))


def _stamp(record: SourceRecord) -> Stamp | None:
    """Size and time of a row's file; None where it is not there, or changed just now."""
    try:
        found = record.path.stat()
    except OSError:
        return None  # reading it says why
    settled = found.st_mtime_ns + SETTLED_NANOSECONDS < time.time_ns()
    return (found.st_size, found.st_mtime_ns) if settled else None
