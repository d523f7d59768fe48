"""Rows with their pictures as a format wants them: bytes, files beside, addresses, or ids alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from lgt_assets.engines.image_bytes import path_of
from lgt_assets.release.formats.base import EMBEDDED, FILES, NAMED, Delivery
from lgt_assets.release.picture_bytes import PictureBytes

WINDOW = 64  # pictures read at once
MOST_BYTES = 32 << 20  # of pictures in the rows handed on together
_COLUMN = "pictures"


def with_delivered(
    rows: pl.DataFrame, delivery: Delivery, folder: Path, pictures: PictureBytes
) -> Iterator[pl.DataFrame]:
    """The rows, in their order and some at a time; the column ``pictures`` holds what is written for each picture.

    Args:
        rows: with lists of :data:`lgt_assets.release.pinned_rows.PICTURE`.
        delivery: ``embedded``: structs of ``bytes`` and ``path`` (null); ``files``: paths below ``folder``, where the files are
            written; ``referenced``: absolute paths of the originals; ``named``: rows stay as they are.
        folder: of the export.
        pictures: reads them.
    """
    if delivery == NAMED:
        yield rows
        return
    given: list = []
    start = end = held = 0
    for window in rows[_COLUMN].to_frame().iter_slices(WINDOW):
        shown = window[_COLUMN].explode(empty_as_null=False).to_list()
        if delivery == EMBEDDED:
            contents = list(pictures.read(shown))
            held += sum(map(len, contents))
            given += contents
        elif delivery == FILES:
            given += pictures.write(folder, shown)
        else:
            given += [str(path_of(picture["uri"])) for picture in shown]
        end += window.height
        if held >= MOST_BYTES:
            yield _replaced(rows.slice(start, end - start), given, delivery)
            given, start, held = [], end, 0
    if end > start:
        yield _replaced(rows.slice(start, end - start), given, delivery)


def _replaced(rows: pl.DataFrame, given: Sequence, delivery: Delivery) -> pl.DataFrame:
    import numpy as np
    import pyarrow as pa

    values = pa.array(given, pa.large_binary() if delivery == EMBEDDED else pa.large_string())
    if delivery == EMBEDDED:
        values = pa.StructArray.from_arrays([values, pa.nulls(len(given), pa.large_string())], ["bytes", "path"])
    offsets = np.concatenate(([0], np.cumsum(rows[_COLUMN].list.len().to_numpy(), dtype=np.int64)))
    lists = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values)
    return rows.with_columns(pl.Series(_COLUMN, pl.from_arrow(lists)))
