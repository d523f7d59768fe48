"""Which files a Delta table consists of, slice by slice, at any version; reading only the files that are wanted.

Light on purpose: it loads neither Dagster nor the data dictionary, so that a command that looks at one row starts fast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from lgt_assets.errors import NotFoundError

FILE = "file"


@dataclass(frozen=True)
class Slice:
    """What one commit replaces: a shard, or for tables that several assets share (shard, asset); "" where there is none."""

    shard: str
    asset: str
    files: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class TableFiles:
    """One version of a table, opened; no data file is read before :meth:`scan`'s frame is collected."""

    table: str
    delta: DeltaTable
    storage_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The version that was opened."""
        return self.delta.version()

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """All slices with rows, ordered by shard and asset."""
        found: dict[tuple[str, str], tuple[list[str], int]] = {}
        root = root_of(self.delta)
        for row in pl.DataFrame(self.delta.get_add_actions(flatten=True)).iter_rows(named=True):
            place = (row.get("partition.shard") or "", row.get("partition.asset") or "")
            files, rows = found.get(place, ([], 0))
            found[place] = ([*files, f"{root}/{row['path']}"], rows + (row["num_records"] or 0))
        return tuple(Slice(*place, tuple(sorted(files)), rows) for place, (files, rows) in sorted(found.items()))

    @property
    def shards(self) -> list[str]:
        """Shards that have rows, sorted."""
        return sorted({one.shard for one in self.slices} - {""})

    def of(self, shard: str) -> tuple[Slice, ...]:
        """The slices of one shard."""
        return self._by_shard.get(shard, ())

    @cached_property
    def _by_shard(self) -> dict[str, tuple[Slice, ...]]:
        return {shard: tuple(own) for shard, own in groupby(self.slices, attrgetter("shard"))}

    def scan(self, slices: Iterable[Slice]) -> pl.LazyFrame:
        """Rows of the slices, with their shard and asset where the table has such columns; empty for no slice."""
        frames = [
            pl.scan_parquet(list(one.files), storage_options=dict(self.storage_options) or None).select(
                *(pl.lit(value).alias(name) for name, value in (("shard", one.shard), ("asset", one.asset)) if value),
                pl.all(),
            )
            for one in slices
        ]
        return pl.concat(frames) if frames else pl.LazyFrame(schema=self.schema)

    def scan_files(self, slices: Iterable[Slice]) -> pl.LazyFrame:
        """Rows of many slices at once, without shard and asset; the column ``file`` says where each lies."""
        files = [name for one in slices for name in one.files]
        options = dict(self.storage_options) or None
        return pl.scan_parquet(files, include_file_paths=FILE, storage_options=options)

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns and their types."""
        return dict(pl.scan_delta(self.delta).collect_schema())


@dataclass(frozen=True)
class TableFolder:
    """The tables below ``root``, a folder or a URL with ``storage_options``."""

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def uri(self, table: str) -> str:
        """Where ``table`` lies."""
        return f"{self.root.rstrip('/')}/{table}"

    def exists(self, table: str) -> bool:
        """Whether ``table`` has been created."""
        return DeltaTable.is_deltatable(self.uri(table), storage_options=dict(self.storage_options) or None)

    def open(self, table: str, version: int | None = None) -> TableFiles:
        """One version of ``table``, by default the latest.

        Raises:
            NotFoundError: the table, or the version, is not there.
        """
        options = dict(self.storage_options) or None
        try:
            return TableFiles(
                table, DeltaTable(self.uri(table), version=version, storage_options=options), self.storage_options
            )
        except TableNotFoundError as error:
            raise NotFoundError(f"there is no table {table} at {self.uri(table)} yet: run `lgt run` first") from error
        except (DeltaError, OverflowError, FileNotFoundError) as error:
            raise NotFoundError(f"table {table} has no version {version} any more, or never had: {error}") from error


def root_of(delta: DeltaTable) -> str:
    """The folder of an opened table, as the file system names it (deltalake says ``%20`` for a space), or its URL.

    Slices are found in such folders for those who open a table by itself. Settings refuse them all the same (:mod:`.state`):
    where a whole table is scanned, polars takes deltalake's name for the folder's, and finds nothing.
    """
    uri = delta.table_uri.rstrip("/")
    return unquote(uri.removeprefix("file://")) if uri.startswith("file://") else uri


def require_files(files: TableFiles, slices: Sequence[Slice]) -> None:
    """Data files of an old version may have been removed by vacuum.

    Raises:
        NotFoundError: some are gone.
    """
    gone = [name for one in slices for name in one.files if "://" not in name and not Path(name).exists()]
    if gone:
        raise NotFoundError(
            f"table {files.table}, version {files.version}: {len(gone)} of its data files are gone (vacuumed), such as "
            f"{gone[0]}; choose a later version"
        )
