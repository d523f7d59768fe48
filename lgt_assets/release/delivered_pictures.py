"""Rows with their pictures as a format wants them: bytes, files beside, addresses, or ids alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lgt_assets.engines.image_bytes import path_of
from lgt_assets.release.formats.base import EMBEDDED, FILES, NAMED, Delivery
from lgt_assets.release.picture_bytes import PictureBytes

if TYPE_CHECKING:
    import pyarrow as pa

WINDOW = 2048  # rows whose pictures are read at once, where they are small
FIRST_WINDOW = 16  # before anything is known of their size
MOST_BYTES = 16 << 20  # of pictures in the rows handed on together
_COLUMN = "pictures"


@dataclass(frozen=True)
class Delivered:
    """Some rows in their order.

    Attributes:
        rows: the column ``pictures`` holds lists: of places in ``contents`` where those are given, of paths for files and
            originals, and of what was there for pictures that are only named.
        contents: bytes of pictures, where they are embedded. They stay out of frames, which would copy them at each step.
    """

    rows: pl.DataFrame
    contents: "pa.LargeBinaryArray | None" = None


def with_delivered(rows: pl.DataFrame, delivery: Delivery, folder: Path, pictures: PictureBytes) -> Iterator[Delivered]:
    """The rows, some at a time, with what is written for each picture.

    Args:
        rows: with lists of :data:`lgt_assets.release.pinned_rows.PICTURE`.
        delivery: ``embedded``, ``files`` (written below ``folder``), ``referenced`` (where the originals lie) or ``named``.
        folder: of the export.
        pictures: reads them.
    """
    if delivery == NAMED:
        yield Delivered(rows)
        return
    given: list = []
    start = end = held = 0
    count = FIRST_WINDOW if delivery == EMBEDDED else WINDOW
    while end < rows.height:
        window = rows[_COLUMN].slice(end, count)
        shown = window.explode(empty_as_null=False).struct.unnest().rows()
        if delivery == EMBEDDED:
            contents = pictures.read(shown)
            count = next_window(len(window), contents.nbytes)
            held += contents.nbytes
            given.append(contents)
        elif delivery == FILES:
            given += pictures.write(folder, shown)
        else:
            given += [path_of(uri) for _image_id, _sha256, uri in shown]
        end += len(window)
        if held >= MOST_BYTES:
            yield _replaced(rows.slice(start, end - start), given, delivery)
            given, start, held = [], end, 0
    if end > start:
        yield _replaced(rows.slice(start, end - start), given, delivery)


def next_window(rows: int, read: int) -> int:
    """How many rows to read next, after ``rows`` whose pictures had ``read`` bytes: photographs of 10 MB come one by one;
    rows without pictures say nothing of those to come.
    """
    return max(1, min(WINDOW, rows * MOST_BYTES // read)) if read else rows


def _replaced(rows: pl.DataFrame, given: list, delivery: Delivery) -> Delivered:
    if delivery == EMBEDDED:
        import pyarrow as pa

        contents = given[0] if len(given) == 1 else pa.concat_arrays(given)
        return Delivered(rows.with_columns(_as_lists(range(len(contents)), pl.UInt32, rows)), contents)
    return Delivered(rows.with_columns(_as_lists(given, pl.String, rows)))


def _as_lists(values: Sequence, kind: type[pl.DataType], rows: pl.DataFrame) -> pl.Series:
    """``values`` in lists as long as those of the column ``pictures``."""
    import pyarrow as pa

    flat = pl.Series(values, dtype=kind).to_arrow()
    lengths = rows[_COLUMN].list.len().cast(pl.Int64)
    offsets = pl.concat([pl.Series([0], dtype=pl.Int64), lengths.cum_sum()]).to_arrow()
    return pl.Series(_COLUMN, pl.from_arrow(pa.LargeListArray.from_arrays(offsets, flat)))
