"""DeltaStore: one Delta table per asset, one commit per shard.

No IO manager: those tried turned a partition write into a full overwrite, or read missing partitions as partial tables.
"""

import fcntl
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from arro3.core import RecordBatchReader, Table
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from lgt_assets.errors import StorageError
from lgt_assets.identity import digest
from lgt_assets.schemas import SCHEMAS, frame, partition_columns

COMMIT_RETRIES = 100
OUTER_ATTEMPTS = 8
# The writer holds a row group and a file's bytes in memory; small groups also let readers skip rows by ordinal.
_WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=8192)
_FILE_BYTES = 32 << 20
Batches = Callable[[], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class DeltaStore:
    """Tables below ``root`` (a folder, or a URL with ``storage_options``).

    Example:
        >>> store = DeltaStore("/tmp/tables")
        >>> version = store.replace("images", frame("images", []), shard="scenes-00000")
        >>> store.read("images", shards=["scenes-00000"]).height
        0
    """

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def uri(self, table: str) -> str:
        """Where ``table`` lies.

        Raises:
            StorageError: there is no such table in the data dictionary.
        """
        if table not in SCHEMAS:
            raise StorageError(f"no table {table!r}: there are {', '.join(SCHEMAS)}")
        return f"{self.root.rstrip('/')}/{table}"

    def exists(self, table: str) -> bool:
        """Whether ``table`` has been created."""
        return DeltaTable.is_deltatable(self.uri(table), storage_options=dict(self.storage_options) or None)

    def version(self, table: str) -> int:
        """Latest version of ``table``.

        Raises:
            StorageError: the table does not exist yet.
        """
        return self._open(table).version()

    def scan(self, table: str, *, shards: Sequence[str] | None = None, version: int | None = None) -> pl.LazyFrame:
        """Rows of ``table`` in data order; with ``shards``, only those shards' files are opened.

        A table that was never written has no rows; ``version`` reads an earlier state.
        """
        if not self.exists(table):
            return frame(table, []).lazy()
        lazy = pl.scan_delta(self.uri(table), version=version, storage_options=dict(self.storage_options) or None)
        columns = lazy.collect_schema().names()
        if shards is not None and "shard" in columns:
            lazy = lazy.filter(pl.col("shard").is_in(list(shards)))
        order = [name for name in ("shard", "asset", "ordinal") if name in columns]
        return lazy.sort(order) if order else lazy

    def read(self, table: str, *, shards: Sequence[str] | None = None, version: int | None = None) -> pl.DataFrame:
        """:meth:`scan`, collected, with the data dictionary's columns in its order."""
        names = list(frame(table, []).columns)
        return self.scan(table, shards=shards, version=version).select(names).collect()

    def shards(self, table: str) -> list[str]:
        """Shards that have rows in ``table``, sorted."""
        if not self.exists(table) or "shard" not in partition_columns(table):
            return []
        return sorted({part["shard"] for part in self._open(table).partitions()})

    def slice_version(self, table: str, shard: str) -> str:
        """A version of a shard's rows alone: it stays while others are written, and changes when its files do."""
        if not self.exists(table):
            return digest([])[:16]
        actions = pl.DataFrame(self._open(table).get_add_actions(flatten=True)).select("path", "partition.shard")
        return digest(actions.filter(pl.col("partition.shard") == shard)["path"].sort().to_list())[:16]

    def replace(
        self,
        table: str,
        rows: pl.DataFrame | Batches,
        *,
        shard: str,
        asset: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """Make ``rows`` the whole content of one slice of ``table``, in one atomic commit; return the table's version.

        The slice is a shard, or for tables that several assets share (shard, asset): one stage never erases another's rows.
        A slice that holds exactly these rows already is left as it is: making the same again makes no new version.

        Args:
            table: its name.
            rows: a frame, or a function that gives an iterator of frames, in the order of their ordinals: any number of
                rows, of which a frame at a time is in memory. It is called more than once.
            shard, asset: which slice.
            metadata: kept with the commit.

        Raises:
            StorageError: rows of another slice, another schema, or a commit that lost every retry.
        """
        predicate = {"shard": shard} | ({"asset": asset} if "asset" in partition_columns(table) else {})
        if None in predicate.values():
            raise StorageError(f"table {table} is shared by several assets: say which asset's slice to replace")
        frames = rows if callable(rows) else lambda: iter([rows])

        def batches() -> Iterator[pl.DataFrame]:
            for batch in frames():
                _require_slice(table, batch, predicate)
                yield batch

        for _batch in batches():  # before anything is created
            pass
        self.create(table)
        if self._holds(table, predicate, batches):
            return self.version(table)
        condition = " AND ".join(f"{column} = '{value}'" for column, value in predicate.items())
        return self._write(table, batches, "overwrite", condition, metadata)

    def _holds(self, table: str, predicate: Mapping[str, str], batches: Batches) -> bool:
        """Whether the slice has just these rows, compared a batch at a time by their ordinals."""
        held = pl.scan_delta(self._open(table))
        held = held.filter(*[pl.col(column) == value for column, value in predicate.items()])
        left = held.select(pl.len()).collect().item()
        for batch in batches():
            left -= batch.height
            if left < 0:
                return False
            if batch.height:
                within = pl.col("ordinal").is_between(batch["ordinal"].min(), batch["ordinal"].max())
                if not held.filter(within).sort("ordinal").select(batch.columns).collect().equals(batch):
                    return False
        return left == 0

    def append(self, table: str, rows: pl.DataFrame, *, metadata: Mapping[str, str] | None = None) -> int:
        """Add rows to a table that nothing overwrites (shard_members, release); return the version."""
        _require_schema(table, rows)
        self.create(table)
        return self._write(table, lambda: iter([rows]), "append", None, metadata)

    def create(self, table: str) -> None:
        """Create ``table``, once, under a lock: racing creators fail. Does nothing where it exists.

        Raises:
            StorageError: it exists with other columns than the data dictionary's.
        """
        with self._creation_lock():
            if not self.exists(table):
                DeltaTable.create(
                    self.uri(table), schema=Table.from_arrow(frame(table, [])).schema,
                    partition_by=partition_columns(table), storage_options=dict(self.storage_options) or None,
                )  # fmt: skip
        found = {f.name for f in self._open(table).schema().fields}
        if found != set(frame(table, []).columns):
            difference = sorted(found ^ set(frame(table, []).columns))
            raise StorageError(
                f"table {table} at {self.uri(table)} was written by another version of lgt_assets (columns that differ: "
                f"{', '.join(difference)}): move the folder away and materialize again; stored completions are reused"
            )

    @contextmanager
    def _creation_lock(self) -> Iterator[None]:
        if "://" in self.root:  # object stores: conditional puts make the second creator fail, and _write retries
            yield
            return
        Path(self.root).mkdir(parents=True, exist_ok=True)
        with (Path(self.root) / ".creation.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _open(self, table: str) -> DeltaTable:
        try:
            return DeltaTable(self.uri(table), storage_options=dict(self.storage_options) or None)
        except TableNotFoundError as error:
            raise StorageError(
                f"table {table} does not exist yet at {self.uri(table)}: materialize it first"
            ) from error

    def _write(self, table: str, batches: Batches, mode: str, predicate: str | None, metadata: Mapping | None) -> int:
        properties = CommitProperties(custom_metadata=dict(metadata or {}) or None, max_commit_retries=COMMIT_RETRIES)

        def commit() -> int:
            delta = self._open(table)
            stream = (part for batch in batches() for part in Table.from_arrow(batch).to_batches())
            reader = RecordBatchReader.from_batches(Table.from_arrow(frame(table, [])).schema, stream)
            write_deltalake(
                delta, reader, mode=mode, target_file_size=_FILE_BYTES, predicate=predicate,
                writer_properties=_WRITER, commit_properties=properties,
            )  # fmt: skip
            return delta.version()  # the handle's state is refreshed by its own commit

        return _with_retries(commit, f"table {table}, {predicate or 'append'}")


def _require_slice(table: str, rows: pl.DataFrame, predicate: Mapping[str, str]) -> None:
    for column, value in predicate.items():
        if rows.height and rows[column].unique().to_list() != [value]:
            raise StorageError(
                f"table {table}: rows of {rows[column].unique().to_list()} in the slice {column}={value!r}"
            )
    _require_schema(table, rows)


def _require_schema(table: str, rows: pl.DataFrame) -> None:
    expected = frame(table, []).schema
    if dict(rows.schema) != dict(expected):
        odd = sorted(name for name in {*rows.columns, *expected} if rows.schema.get(name) != expected.get(name))
        raise StorageError(
            f"table {table}: columns {odd} differ from the data dictionary; build rows with schemas.frame"
        )


def _with_retries(commit: Callable[[], int], what: str) -> int:
    """Run ``commit`` on a fresh table until it wins, waiting a jittered, growing while after each lost race."""
    for attempt in range(OUTER_ATTEMPTS):
        try:
            return commit()
        except CommitFailedError as error:
            if attempt == OUTER_ATTEMPTS - 1:
                raise StorageError(
                    f"{what}: the commit lost {OUTER_ATTEMPTS} races to other writers: {error}"
                ) from error
            # Unseeded on purpose: equal waits in two processes would make them collide again. No row depends on it.
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)
        except (DeltaError, OSError) as error:
            raise StorageError(f"{what}: {error}") from error
    raise AssertionError("unreachable")


def canonical_rows(rows: pl.DataFrame) -> str:
    """Rows as JSON lines in data order: equal strings, equal rows (for comparing two runs)."""
    return "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows.iter_rows(named=True))
