"""Lists and queues that spill to disk behave as lists and queues."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import StorageError
from lgt_assets.spool import Spool, SpooledQueue

ROWS = st.lists(
    st.dictionaries(st.text(max_size=3), st.integers() | st.none() | st.text(max_size=3), max_size=2), max_size=30
)


@given(ROWS, st.integers(1, 7))
def test_a_spool_is_a_list(rows: list, size: int) -> None:
    spool = Spool(rows, batch_rows=size)
    assert (len(spool), list(spool), list(spool)) == (len(rows), rows, rows)
    assert [spool[index] for index in range(-len(rows), len(rows))] == rows + rows
    assert all(0 < len(batch) <= size for batch in spool.batches())
    assert spool == rows and spool != [*rows, 1]
    with pytest.raises(IndexError):
        spool[len(rows)]


def test_what_is_appended_while_it_is_read_is_read() -> None:
    spool = Spool(range(4), batch_rows=2)
    seen = []
    for row in spool:
        seen.append(row)
        if row < 3:
            spool.append(row + 10)
    assert seen[:4] == [0, 1, 2, 3] and sorted(spool) == sorted({0, 1, 2, 3, 10, 11, 12})


def test_nothing_is_left_behind_and_little_is_in_memory(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path / "spool", batch_rows=10)
    assert not (tmp_path / "spool").exists()
    for row in range(25):
        spool.append(row)
    assert list((tmp_path / "spool").iterdir()) == []
    assert len(spool._newest) == 5


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        Spool(range(3), folder=tmp_path / "file", batch_rows=2)


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 3))
def test_a_queue_gives_back_in_order(turns: list[bool], size: int) -> None:
    queue, given_, taken = SpooledQueue(batch_rows=size), 0, 0
    for is_append in turns:
        if is_append:
            queue.append(given_)
            given_ += 1
        elif len(queue):
            assert queue.first() == taken == queue.popleft()
            taken += 1
        assert len(queue) == given_ - taken
    assert [queue.popleft() for _left in range(len(queue))] == list(range(taken, given_))
    with pytest.raises(IndexError):
        queue.popleft()
