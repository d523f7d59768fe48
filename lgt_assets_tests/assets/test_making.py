"""Frames of rows that wait on disk."""

import polars as pl
import pytest

from lgt_assets.assets.making import _batches
from lgt_assets.spool import Spool
from lgt_assets_tests.rows import image_row


def spooled(rows: list[dict]) -> Spool:
    return Spool(rows, batch_rows=2)


def test_frames_are_the_rows_in_order_and_made_once() -> None:
    rows = spooled([image_row(number) for number in range(5)])
    batches = _batches("images", rows)
    first = list(batches())
    while rows.take_batch():
        pass
    again = list(batches())
    assert [frame.height for frame in first] == [2, 2, 1]
    assert pl.concat(first)["image_id"].to_list() == [image_row(number)["image_id"] for number in range(5)]
    assert all(frame.equals(same) for frame, same in zip(first, again, strict=True))


def test_no_rows_are_no_frames() -> None:
    batches = _batches("images", spooled([]))
    assert list(batches()) == [] == list(batches())


def test_a_row_that_is_none_is_an_error_at_every_call() -> None:
    batches = _batches(
        "images", spooled([*(image_row(number) for number in range(3)), image_row(3) | {"width": "wide"}])
    )
    for _ in range(2):
        with pytest.raises((TypeError, pl.exceptions.PolarsError)):
            list(batches())
