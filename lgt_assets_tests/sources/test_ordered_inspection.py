"""Rows are looked at ahead, in order, and never more of them, or of their bytes, than is said."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import Picture, SourceProblem, SourceRecord, ordered_inspection
from lgt_assets.sources.holdings import HoldingsFile
from lgt_assets.sources.ordered_inspection import BYTES_AHEAD, ROWS_AHEAD, UNKNOWN_BYTES, in_order
from lgt_assets.sources.records import RowRejected
from lgt_assets_tests.sources.pictures import plain_bytes


@pytest.fixture
def holdings(tmp_path: Path) -> Iterator[HoldingsFile]:
    with HoldingsFile(tmp_path / "holdings.sqlite", {}) as opened:
        yield opened


def record(number: int, content: bytes | Callable[[], bytes]) -> SourceRecord:
    return SourceRecord(
        "file", number, str(number), Path(f"{number}.jpg"), "A caption.", "human", (), "human", "CC0", raw=str(number),
        origin=f"file#{number}", content=content,
    )  # fmt: skip


def test_outcomes_come_in_order_and_rows_are_read_as_they_are_needed(holdings: HoldingsFile) -> None:
    read = 0

    def rows() -> Iterator[SourceRecord]:
        nonlocal read
        for number in range(10 * ROWS_AHEAD):
            read += 1
            yield record(number, plain_bytes(number % 125) if number % 3 else b"no picture")

    outcomes = in_order(rows(), holdings)
    for number in range(2 * ROWS_AHEAD):
        found = next(outcomes)
        assert isinstance(found.row, Picture if number % 3 else SourceProblem)
        assert (found.row.record.row if number % 3 else found.row.row) == number
        assert read <= number + ROWS_AHEAD + 1
    outcomes.close()
    assert read < 4 * ROWS_AHEAD


@pytest.mark.parametrize("fetched", [False, True])
def test_bytes_that_wait_are_bounded(holdings: HoldingsFile, fetched: bool) -> None:
    large, alive, most, lock = plain_bytes(1) + b"\0" * (BYTES_AHEAD // 4), 0, 0, Lock()

    def made() -> bytes:
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        return bytes(bytearray(large))

    def rows() -> Iterator[SourceRecord]:
        for number in range(40):
            yield record(number, made if fetched else made())

    for found in in_order(rows(), holdings):
        assert isinstance(found.row, Picture)
        threading.Event().wait(0.001)  # whoever takes them is slower than the threads
        with lock:
            alive -= 1
    assert most <= (BYTES_AHEAD // UNKNOWN_BYTES if fetched else 4) + 3


def test_what_a_row_is_rejected_for_frees_its_bytes(holdings: HoldingsFile) -> None:
    def refuse() -> bytes:
        raise RowRejected("fetch_failed", "image", "no")

    contents = [b"no picture" * (BYTES_AHEAD // 20), refuse] * ROWS_AHEAD
    reasons = [found.row.reason for found in in_order((record(n, c) for n, c in enumerate(contents)), holdings)]
    assert reasons == ["not_a_picture", "fetch_failed"] * ROWS_AHEAD


def test_an_error_of_the_source_comes_through_and_threads_end(holdings: HoldingsFile) -> None:
    def rows() -> Iterator[SourceRecord]:
        yield record(0, plain_bytes(0))
        raise SourceError("torn")

    with pytest.raises(SourceError, match="torn"):
        list(in_order(rows(), holdings))

    def fails() -> bytes:
        raise SourceError("no s3fs")

    with pytest.raises(SourceError, match="no s3fs"):
        list(in_order([record(0, fails), record(1, plain_bytes(1))], holdings))


def test_threads_are_bounded() -> None:
    assert 2 <= ordered_inspection.THREADS <= 16
