"""A commit that lost to another writer, on a real table, and one that failed otherwise."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from deltalake.exceptions import DeltaError, TableNotFoundError

from lgt_assets import table_handles
from lgt_assets.commit_retries import OUTER_ATTEMPTS, with_retries
from lgt_assets.errors import RunEndedError, StorageError
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.table_locks import alone
from lgt_assets_tests.rows import image_row

SHARD = "made-00000"


def images(count: int) -> pl.DataFrame:
    return frame("images", [image_row(number, shard=SHARD) for number in range(count)])


def overtaking(other: DeltaStore, times: int, looks: list[int]) -> Callable[[], None]:
    """For ``may_write``: ``other`` commits between a writer's look at the table and its commit, so many times."""

    def overtake() -> None:
        looks.append(1)
        if len(looks) <= times:
            table_handles.forget(other.uri("images"))  # as in another process
            other.replace("images", images(10 + len(looks)), shard=SHARD)  # the rows that are there would be no commit

    return overtake


# tenacity waits with time.sleep: if it ever waits otherwise, these tests see no wait and fail.
def test_who_waits_to_commit_again_keeps_nobody_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DeltaStore(str(tmp_path))
    looks: list[int] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        with alone(str(tmp_path), "images"):  # as maintenance would
            waits.append(seconds)

    other.replace("images", images(1), shard=SHARD)
    monkeypatch.setattr(time, "sleep", wait)
    DeltaStore(str(tmp_path), may_write=overtaking(other, 1, looks)).replace("images", images(3), shard=SHARD)
    assert len(looks) == 2 and len(waits) == 1
    assert other.read("images").height == 3


def test_who_loses_every_race_gives_up_after_waits_that_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = DeltaStore(str(tmp_path))
    looks: list[int] = []
    waits: list[float] = []
    other.replace("images", images(1), shard=SHARD)
    monkeypatch.setattr(time, "sleep", waits.append)
    caplog.set_level(logging.INFO, "lgt_assets.commit_retries")
    loser = DeltaStore(str(tmp_path), may_write=overtaking(other, OUTER_ATTEMPTS, looks))
    with pytest.raises(
        StorageError, match=f"^table images, .*: the commit lost {OUTER_ATTEMPTS} races to other writers: "
    ):
        loser.replace("images", images(3), shard=SHARD)
    assert len(looks) == OUTER_ATTEMPTS and other.read("images").height == 10 + OUTER_ATTEMPTS
    assert len(waits) == OUTER_ATTEMPTS - 1
    assert all(0.05 * 2**lost <= seconds <= 0.2 * 2**lost for lost, seconds in enumerate(waits))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(waits)
    assert all("lost a race to another writer, tries again: Failed to commit" in line for line in told)


@pytest.mark.parametrize(
    ("failure", "raised", "said"),
    [
        (DeltaError("no such column"), StorageError, "table images: no such column"),
        (TableNotFoundError("no log"), StorageError, "table images: no log"),
        (OSError("disk full"), StorageError, "table images: disk full"),
        (RunEndedError("ended elsewhere"), RunEndedError, "ended elsewhere"),
    ],
)
def test_what_failed_otherwise_is_not_tried_again(
    failure: Exception, raised: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []
    waits: list[float] = []

    def commit() -> int:
        attempts.append(1)
        raise failure

    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(raised) as caught:
        with_retries(commit, "table images")
    assert str(caught.value) == said and len(attempts) == 1 and not waits
