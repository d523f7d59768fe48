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
from dataclasses import dataclass, replace

from lgt_assets.sources.holdings import HoldingsFile, Stamp
from lgt_assets.sources.inspection import check_inside, check_row, inspect_content, read_picture
from lgt_assets.sources.records import Picture, RowRejected, SourceProblem, SourceRecord

# Fetching waits for others, decoding for this machine: some more threads than processors serve both.
THREADS = min(16, (os.cpu_count() or 1) + 4)
ROWS_AHEAD = 8 * THREADS
BYTES_AHEAD = 64 * 2**20
# A file that changed just now may change again within the same tick of the file system's clock.
SETTLED_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True)
class LookedAt:
    """What became of one row: a picture or a problem; and the picture's bytes, where it is no file of its own."""

    row: Picture | SourceProblem
    content: bytes | None = None


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
                    yield _result(outcome)
                known = LookedAt(row) if isinstance(row, SourceProblem) else _without_opening(row, holdings)
                waiting.append((known or threads.submit(_look, row, holdings), size))
                bytes_ahead += size
            while waiting:
                yield _result(waiting.popleft()[0])
        finally:
            threads.shutdown(cancel_futures=True)


def _result(outcome: LookedAt | Future[LookedAt]) -> LookedAt:
    return outcome if isinstance(outcome, LookedAt) else outcome.result()


def _without_opening(record: SourceRecord, holdings: HoldingsFile) -> LookedAt | None:
    """The outcome where the row declares all of it, or its picture was found whole before; None where it has to be opened."""
    found, inspected = None, True
    if record.expected_sha256 and record.declared_size and record.origin is None:
        found, inspected = (record.expected_sha256, *record.declared_size), False
    elif callable(record.content) and record.origin:
        held = holdings.opened(record.origin, (0, 0))  # an address is fetched once
        found = held if held and holdings.picture(held[0]) else None
    elif record.content is None:
        stamp = _stamp(record)
        found = holdings.opened(str(record.path), stamp) if stamp else None
    if found is None:
        return None
    sha256, width, height = found
    try:
        check_row(record, sha256)
        for index, box in enumerate(record.boxes):
            check_inside(box, width, height, f"boxes[{index}].box")
    except RowRejected as rejected:
        return LookedAt(rejected.problem(record.file, record.row, record.raw))
    return LookedAt(Picture(record, sha256, width, height, inspected=inspected))


def _look(record: SourceRecord, holdings: HoldingsFile) -> LookedAt:
    """Get the picture's bytes and inspect them; called in a thread."""
    try:
        stamp: Stamp | None = None
        if record.content is None:
            stamp = _stamp(record)
            content = read_picture(record.path)
        else:
            content = record.content() if callable(record.content) else record.content
            stamp = (0, 0) if callable(record.content) else None
        picture = inspect_content(record, content, holdings.size_of)
    except RowRejected as rejected:
        return LookedAt(rejected.problem(record.file, record.row, record.raw))
    if stamp is not None:
        holdings.note_opened(
            record.origin or str(record.path), stamp, picture.sha256, picture.width, picture.height
        )  # fmt: skip
    return LookedAt(picture, content if record.content is not None else None)


def _stamp(record: SourceRecord) -> Stamp | None:
    """Size and time of a row's file; None where it is not there, or changed just now."""
    try:
        found = record.path.stat()
    except OSError:
        return None  # reading it says why
    settled = found.st_mtime_ns + SETTLED_NANOSECONDS < time.time_ns()
    return (found.st_size, found.st_mtime_ns) if settled else None


def forget_content(record: SourceRecord) -> SourceRecord:
    """The record without the bytes that are no longer needed."""
    return replace(record, content=None)
