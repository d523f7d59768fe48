"""What rows say, whatever file they are in: one digest for a config's split, equal on every machine and for every format."""

import hashlib
import io

import polars as pl

from lgt_assets.release.formats.rows import ADDED, PLACE

DIGEST = "content_digest"


def with_digests(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the column ``content_digest``: sha256 of each row as JSON, with its pictures' sha256, without its place.

    Args:
        rows: as :meth:`lgt_assets.release.pinned_rows.PinnedRows.batches` gives them.
    """
    sha256s = pl.col("pictures").list.eval(pl.element().struct.field("sha256")).alias("sha256s")
    file = io.BytesIO()
    rows.with_columns(sha256s).drop(*ADDED, *PLACE).write_ndjson(file)
    lines = file.getvalue().splitlines() if rows.height else []
    # JSON escapes line ends within texts, so that there is one line a row.
    digests = pl.Series(DIGEST, [hashlib.sha256(line).digest() for line in lines], dtype=pl.Binary)
    return rows.with_columns(digests)


class ContentDigest:
    """The digest of rows in their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, digests: pl.Series) -> None:
        """Take the digests of some rows."""
        self._hash.update(b"".join(digests))
        self.rows += len(digests)

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()
