"""What rows say, whatever file they are in: one digest for a config's split, equal on every machine and for every format."""

import hashlib

import polars as pl

from lgt_assets.release.formats.rows import ADDED, PLACE

CONTENT = "content"


def with_content(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the column ``content``: each as JSON, with its pictures' sha256 and without its place.

    Args:
        rows: as :meth:`lgt_assets.release.pinned_rows.PinnedRows.batches` gives them.
    """
    sha256s = pl.col("pictures").list.eval(pl.element().struct.field("sha256")).alias("sha256s")
    said = [name for name in rows.columns if name not in (*ADDED, *PLACE)]
    return rows.with_columns(pl.struct(*said, sha256s).struct.json_encode().alias(CONTENT))


class ContentDigest:
    """The digest of rows in their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, content: pl.Series) -> None:
        """Take some rows; JSON objects one after the other are told apart."""
        import pyarrow as pa

        self.rows += len(content)
        for chunk in pa.chunked_array([content.to_arrow()]).cast(pa.large_binary()).chunks:
            offsets, values = chunk.buffers()[1:]
            ends = memoryview(offsets).cast("q")[chunk.offset : chunk.offset + len(chunk) + 1]
            self._hash.update(memoryview(values)[ends[0] : ends[-1]])  # the texts lie one after the other

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()
