"""Rows with their pictures as a format wants them: bytes, files beside, addresses, or ids alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lgt_assets.engines.image_bytes import path_of
from lgt_assets.release.formats.base import EMBEDDED, FILES, NAMED, Delivery
from lgt_assets.release.picture_bytes import PARTS, PictureBytes
from lgt_assets.release.pinned_rows import PICTURES
from lgt_assets.release.reading_processes import Picture

if TYPE_CHECKING:
    import pyarrow as pa

WINDOW = 2048  # rows whose pictures are read at once, where they are small
FIRST_WINDOW = 16  # before anything is known of their size
MOST_BYTES = 16 << 20  # of pictures read at once, as far as one can tell
FEW_BYTES = 4 << 20  # of pictures that are handed on together rather than in parts


@dataclass(frozen=True)
class Delivered:
    """Some rows of a frame with their pictures; those of the whole frame come one after the other.

    Attributes:
        rows: the whole frame, so that nothing is done to it a few rows at a time. The column ``pictures`` holds lists: of the
            pictures' numbers in the frame where they are embedded, of paths for files and originals, and of what was there for
            pictures that are only named.
        start, end: the rows in question.
        contents: bytes of their pictures, where they are embedded. They stay out of frames, which would copy them at each step.
        first: number of the first of ``contents``.
    """

    rows: pl.DataFrame
    start: int
    end: int
    contents: "pa.LargeBinaryArray | None" = None
    first: int = 0


def with_delivered(rows: pl.DataFrame, delivery: Delivery, folder: Path, pictures: PictureBytes) -> Iterator[Delivered]:
    """The rows, some at a time, with what is written for each picture.

    Args:
        rows: with lists of :data:`lgt_assets.release.pinned_rows.PICTURE`.
        delivery: ``embedded``, ``files`` (written below ``folder``), ``referenced`` (where the originals lie) or ``named``.
        folder: of the export.
        pictures: reads them.
    """
    if delivery == NAMED:
        yield Delivered(rows, 0, rows.height)
    elif delivery == EMBEDDED:
        yield from _with_contents(rows, pictures)
    else:
        for window in rows.iter_slices(WINDOW):
            shown = _shown(window)
            paths = pictures.write(folder, shown) if delivery == FILES else [path_of(uri) for *_, uri in shown]
            yield Delivered(window.with_columns(_as_lists(pl.Series(paths, dtype=pl.String), window)), 0, window.height)


def _with_contents(rows: pl.DataFrame, pictures: PictureBytes) -> Iterator[Delivered]:
    import pyarrow as pa

    ends = [0, *rows[PICTURES].list.len().cum_sum().to_list()]  # of each row's pictures, among all of them
    shown = _shown(rows)
    numbered = rows.with_columns(_as_lists(pl.int_range(len(shown), dtype=pl.UInt32, eager=True), rows))
    end, count = 0, FIRST_WINDOW
    while end < rows.height:
        start, end = end, min(rows.height, end + count)
        bounds = [*range(start, end, -(-(end - start) // PARTS)), end]
        read = pictures.read([shown[ends[low] : ends[high]] for low, high in pairwise(bounds)])
        held = sum(own.nbytes for own in read)
        count = next_window(end - start, held)
        if held < FEW_BYTES:
            bounds, read = [start, end], [pa.concat_arrays(read)]
        for low, high in pairwise(bounds):  # nobody keeps what was handed on
            yield Delivered(numbered, low, high, read.pop(0), ends[low])


def _shown(rows: pl.DataFrame) -> list[Picture]:
    return rows[PICTURES].explode(empty_as_null=False).struct.unnest().rows()


def next_window(rows: int, read: int) -> int:
    """How many rows to read next, after ``rows`` whose pictures had ``read`` bytes: photographs of 10 MB come one by one;
    rows without pictures say nothing of those to come.
    """
    return max(1, min(WINDOW, rows * MOST_BYTES // read)) if read else rows


def _as_lists(values: pl.Series, rows: pl.DataFrame) -> pl.Series:
    """``values`` in lists as long as those of the column ``pictures``."""
    import pyarrow as pa

    lengths = rows[PICTURES].list.len().cast(pl.Int64)
    offsets = pl.concat([pl.Series([0], dtype=pl.Int64), lengths.cum_sum()]).to_arrow()
    return pl.Series(PICTURES, pl.from_arrow(pa.LargeListArray.from_arrays(offsets, values.to_arrow())))
