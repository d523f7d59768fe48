"""DeltaStore: one Delta table per asset, one commit per shard.

No IO manager: those tried turned a partition write into a full overwrite, or read missing partitions as partial tables.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from arro3.core import RecordBatchReader, Table
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from lgt_assets import table_handles
from lgt_assets.commit_retries import COMMIT_RETRIES, with_retries
from lgt_assets.errors import StorageError
from lgt_assets.identity import digest
from lgt_assets.schemas import SCHEMAS, frame, partition_columns
from lgt_assets.table_creation import create_table, keep_properties
from lgt_assets.table_locks import is_remote, writing
from lgt_assets.table_slices import FEW, require_schema, require_slice, scan_slices, slice_paths

# The writer holds a row group and a file's bytes in memory; small groups also let readers skip rows by ordinal.
WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=8192)
FILE_BYTES = 32 << 20
Batches = Callable[[], Iterator[pl.DataFrame]]


def _anyone() -> None:
    """Everyone may write."""


@dataclass(frozen=True)
class DeltaStore:
    """Tables below ``root`` (a folder, or a URL with ``storage_options``).

    ``may_write`` is called once a table is opened for a commit, in every attempt, and raises where the writer may no longer
    write: whatever another writer commits to the slice after that makes the commit fail, and ask again.

    Example:
        >>> store = DeltaStore("/tmp/tables")
        >>> version = store.replace("images", frame("images", []), shard="scenes-00000")
        >>> store.read("images", shards=["scenes-00000"]).height
        0
    """

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)
    may_write: Callable[[], None] = field(default=_anyone, repr=False, compare=False)

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
        return table_handles.is_known(self.uri(table)) or DeltaTable.is_deltatable(
            self.uri(table), storage_options=dict(self.storage_options) or None
        )

    def version(self, table: str) -> int:
        """Latest version of ``table``.

        Raises:
            StorageError: the table does not exist yet.
        """
        return self._latest(table).delta.version()

    def scan(self, table: str, *, shards: Sequence[str] | None = None, version: int | None = None) -> pl.LazyFrame:
        """Rows of ``table`` in data order; with ``shards``, only those shards' files are opened.

        A table that was never written has no rows; ``version`` reads an earlier state.
        """
        if not self.exists(table):
            return frame(table, []).lazy()
        sliced = shards is not None and "shard" in partition_columns(table)
        if sliced and len(shards) <= FEW and not is_remote(self.root):
            delta = self._latest(table).delta if version is None else self.open(table, version)
            lazy = scan_slices(delta, table, [{"shard": shard} for shard in dict.fromkeys(shards)])
        else:
            lazy = pl.scan_delta(self.uri(table), version=version, storage_options=dict(self.storage_options) or None)
            lazy = lazy.filter(pl.col("shard").is_in(list(shards))) if sliced else lazy
        columns = lazy.collect_schema().names()
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
        return sorted({part["shard"] for part in self._latest(table).delta.partitions()})

    def slice_version(self, table: str, shard: str) -> str:
        """A version of a shard's rows alone: it stays while others are written, and changes when its files do."""
        if not self.exists(table):
            return digest([])[:16]
        return digest(slice_paths(self._latest(table).delta, {"shard": shard}))[:16]

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
                require_slice(table, batch, predicate)
                yield batch

        for _batch in batches():  # before anything is created
            pass
        self.create(table)
        if self._holds(table, predicate, batches):
            self.may_write()
            return self.version(table)
        condition = " AND ".join(f"{column} = '{value}'" for column, value in predicate.items())
        return self._write(table, batches, "overwrite", condition, metadata)

    def _holds(self, table: str, predicate: Mapping[str, str], batches: Batches) -> bool:
        """Whether the slice has just these rows, compared a batch at a time by their ordinals."""
        if is_remote(self.root):
            held = pl.scan_delta(self.open(table))
            held = held.filter(*[pl.col(column) == value for column, value in predicate.items()])
        else:
            held = scan_slices(self._latest(table).delta, table, [predicate])
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

    def rewrite(
        self, table: str, rows: Batches, *, shards: Sequence[str], metadata: Mapping[str, str] | None = None
    ) -> int:
        """Make ``rows`` the whole content of several shards, those of all assets, in one commit; return the version.

        Of a table without shards it is the whole table. Unlike :meth:`replace` it writes whatever is there.

        Raises:
            StorageError: another schema, or a commit that lost every retry.
        """
        for batch in rows():
            require_schema(table, batch)
        self.create(table)
        sliced = "shard" in partition_columns(table)
        condition = " OR ".join(f"shard = '{shard}'" for shard in shards) if sliced else None
        return self._write(table, rows, "overwrite", condition, metadata)

    def append(self, table: str, rows: pl.DataFrame, *, metadata: Mapping[str, str] | None = None) -> int:
        """Add rows to a table that nothing overwrites (release); return the version."""
        require_schema(table, rows)
        self.create(table)
        return self._write(table, lambda: iter([rows]), "append", None, metadata)

    def create(self, table: str) -> None:
        """Create ``table``, once, under a lock: racing creators fail. Does nothing where it exists.

        Raises:
            StorageError: it exists with other columns than the data dictionary's.
        """
        if not table_handles.is_known(self.uri(table)):
            create_table(self.root, table, self.uri(table), self.storage_options)
        handle = self._latest(table)
        if handle.is_checked:
            return
        delta = handle.delta
        found = {f.name for f in delta.schema().fields}
        if found != set(frame(table, []).columns):
            difference = sorted(found ^ set(frame(table, []).columns))
            raise StorageError(
                f"table {table} at {self.uri(table)} was written by another version of lgt_assets (columns that differ: "
                f"{', '.join(difference)}): move the folder away and materialize again; stored completions are reused"
            )
        keep_properties(self.root, delta)
        handle.is_checked = True

    def open(self, table: str, version: int | None = None) -> DeltaTable:
        """The table as deltalake opens it, by default at its latest version.

        Raises:
            StorageError: the table does not exist yet, no longer has the version, or its store does not answer.
        """
        try:
            return DeltaTable(self.uri(table), version=version, storage_options=dict(self.storage_options) or None)
        except (DeltaError, OSError) as error:
            if version is not None:
                raise StorageError(f"table {table} cannot be read at version {version}: {error}") from error
            if not isinstance(error, TableNotFoundError):
                raise StorageError(f"table {table} at {self.uri(table)} cannot be read: {error}") from error
            raise StorageError(
                f"table {table} does not exist yet at {self.uri(table)}: materialize it first"
            ) from error

    def _latest(self, table: str) -> table_handles.Handle:
        """The kept table, up to date; raises as :meth:`open` does."""
        try:
            return table_handles.latest(self.uri(table), self.storage_options)
        except DeltaError:
            return table_handles.Handle(self.open(table))  # or what is wrong, in our words
        except OSError as error:  # not asked once more: deltalake has tried for long
            raise StorageError(f"table {table} at {self.uri(table)} cannot be read: {error}") from error

    def _write(self, table: str, batches: Batches, mode: str, predicate: str | None, metadata: Mapping | None) -> int:
        properties = CommitProperties(custom_metadata=dict(metadata or {}) or None, max_commit_retries=COMMIT_RETRIES)

        def commit() -> int:
            with writing(self.root, table):  # for each attempt: who waits to try again keeps nobody from the table
                return write()

        def write() -> int:
            delta = self._latest(table).delta
            self.may_write()
            stream = (part for batch in batches() for part in Table.from_arrow(batch).to_batches())
            reader = RecordBatchReader.from_batches(Table.from_arrow(frame(table, [])).schema, stream)
            try:
                write_deltalake(
                    delta, reader, mode=mode, target_file_size=FILE_BYTES, predicate=predicate,
                    writer_properties=WRITER, commit_properties=properties,
                )  # fmt: skip
            except BaseException:
                table_handles.forget(self.uri(table))
                raise
            return delta.version()  # the handle's state is refreshed by its own commit

        return with_retries(commit, f"table {table}, {predicate or 'append'}")


def canonical_rows(rows: pl.DataFrame) -> str:
    """Rows as JSON lines in data order: equal strings, equal rows (for comparing two runs)."""
    return "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows.iter_rows(named=True))
