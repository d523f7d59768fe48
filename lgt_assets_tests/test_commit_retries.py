"""A commit that lost to another writer, on a real table."""

import time
from pathlib import Path

import polars as pl
import pytest

from lgt_assets import table_handles
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.table_locks import alone
from lgt_assets_tests.rows import image_row

SHARD = "made-00000"


def images(count: int) -> pl.DataFrame:
    return frame("images", [image_row(number, shard=SHARD) for number in range(count)])


def test_who_waits_to_commit_again_keeps_nobody_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DeltaStore(str(tmp_path))
    looks: list[int] = []
    waits: list[float] = []

    def overtaken() -> None:
        looks.append(1)
        if len(looks) == 1:  # another process commits between this one's look and its commit
            table_handles.forget(other.uri("images"))
            other.replace("images", images(2), shard=SHARD)

    def wait(seconds: float) -> None:
        with alone(str(tmp_path), "images"):  # as maintenance would
            waits.append(seconds)

    other.replace("images", images(1), shard=SHARD)
    monkeypatch.setattr(time, "sleep", wait)
    DeltaStore(str(tmp_path), may_write=overtaken).replace("images", images(3), shard=SHARD)
    assert len(looks) == 2 and len(waits) == 1
    assert other.read("images").height == 3
