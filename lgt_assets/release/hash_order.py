"""Rows of any number in the order of the hash in their ids, sorted on disk: no shard's order shows, and memory stays flat."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_BUCKET = 4096
MOST_BUCKETS = 512  # as many files are open at once
_HELD_BYTES = 128 << 20  # a piece of a bucket costs much however small it is: of a million rows, each has 270
_HASHES = 1 << 16
_BUCKET = "bucket"


class HashOrder:
    """A distribution sort: rows go into files by the first digits of their hash, and each file is sorted by itself.

    Ids end in 16 hexadecimal digits (:mod:`lgt_assets.identity`), which are even: a file holds about ``ROWS_PER_BUCKET`` rows
    up to two million rows, and proportionally more beyond.

    Args:
        folder: a folder for the files, which must not exist; the caller removes it, with the files that were not read.
        key: column of the ids.
        apart: column whose values are kept apart within a bucket: the rows of each value have the order of the hash.
        rows: about how many are coming.
    """

    def __init__(self, folder: Path, key: str, apart: str, rows: int):
        folder.mkdir(parents=True)
        self._folder, self._key, self._apart = folder, key, apart
        self._count = max(1, min(MOST_BUCKETS, rows // ROWS_PER_BUCKET))
        self._writers: dict[int, pa.RecordBatchStreamWriter] = {}
        self._held: list[pl.DataFrame] = []
        self._held_bytes = 0

    def __enter__(self) -> "HashOrder":
        """For the files to be closed whatever happens."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._close()

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows, in any order; all of one schema."""
        self._held.append(rows)
        self._held_bytes += rows.estimated_size()
        if self._held_bytes >= _HELD_BYTES:
            self._spill()

    def buckets(self) -> Iterator[pl.DataFrame]:
        """All rows, once, one bucket at a time, ordered by ``apart``, by hash and then by id; nothing can be added any more."""
        import pyarrow as pa

        self._spill()
        self._close()
        for bucket in range(self._count):
            path = self._folder / str(bucket)
            if path.exists():
                with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
                    rows = pl.DataFrame(pl.from_arrow(reader.read_all()))
                path.unlink()  # what was not yet written to the disk need not be; the rows keep what they lie in
                yield rows.sort(self._apart, pl.col(self._key).str.slice(-16), self._key)

    def _spill(self) -> None:
        if not self._held:
            return
        digits = pl.col(self._key).str.slice(-16, 4).str.to_integer(base=16, dtype=pl.Int64)
        rows = pl.concat(self._held).with_columns((digits * self._count // _HASHES).alias(_BUCKET))
        self._held, self._held_bytes = [], 0
        for (bucket,), part in rows.partition_by(_BUCKET, as_dict=True, include_key=False).items():
            table = part.to_arrow()
            if bucket not in self._writers:
                self._writers[bucket] = self._writer(self._folder / str(bucket), table.schema)
            self._writers[bucket].write_table(table)

    @staticmethod
    def _writer(path: Path, schema: "pa.Schema") -> "pa.RecordBatchStreamWriter":
        import pyarrow as pa

        return pa.ipc.new_stream(str(path), schema)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
