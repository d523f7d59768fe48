"""Rows of one shard that hang together: read from that shard's files, and of those only what belongs to one picture."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.delta_files import TableFiles, TableFolder
from lgt_assets.errors import NotFoundError, StorageError
from lgt_assets.identity import parse_row_id
from lgt_assets.lineage.declarations import KEYS, LABELS, named_in, references_of
from lgt_assets.lineage.family import Family, Member

TABLES = (*KEYS, "generations")
_OPENING = 4
SHOWN_SHARDS = 20


@dataclass
class ShardTables:
    """The tables as one shard has them; each is opened once."""

    folder: TableFolder
    shard: str
    opened: dict[str, TableFiles] = field(default_factory=dict)

    def open_all(self) -> None:
        """Open every table that lineage reads and that exists, side by side: most of the time it is waiting for files."""
        there = [table for table in TABLES if table not in self.opened and self.folder.exists(table)]
        with ThreadPoolExecutor(_OPENING) as pool:
            self.opened.update(zip(there, pool.map(self.folder.open, there), strict=True))

    def scan(self, table: str) -> pl.LazyFrame | None:
        """The shard's rows of ``table``; None where it has none, so that nothing needs to be read."""
        if table not in self.opened and self.folder.exists(table):
            self.opened[table] = self.folder.open(table)
        slices = self.opened[table].of(self.shard) if table in self.opened else ()
        return self.opened[table].scan(slices) if slices else None

    def collect(self, frames: dict[str, pl.LazyFrame]) -> dict[str, list[dict]]:
        """Rows by name, each in data order; all frames are read side by side.

        Raises:
            StorageError: a table lacks a column.
        """
        try:
            collected = pl.collect_all(list(frames.values()))
        except pl.exceptions.ColumnNotFoundError as error:
            raise StorageError(
                f"a table below {self.folder.root} was written by another version of lgt_assets: {error}; materialize again"
            ) from error
        return {name: rows.to_dicts() for name, rows in zip(frames, collected, strict=True)}


def read_row(tables: ShardTables, row_id: str) -> dict:
    """The row with this id, all columns.

    Raises:
        NotFoundError: the text is no id, or there is no such row.
    """
    parsed = parse_row_id(row_id)
    scan = tables.scan(parsed.table)
    rows = (
        tables.collect({"rows": scan.filter(pl.col(KEYS[parsed.table]) == row_id)})["rows"] if scan is not None else []
    )
    if not rows:
        held = tables.opened[parsed.table].shards if parsed.table in tables.opened else []
        shown = ", ".join(held[:SHOWN_SHARDS]) + (
            f" and {len(held) - SHOWN_SHARDS} more" if len(held) > SHOWN_SHARDS else ""
        )
        hint = "" if parsed.shard in held else f"; shards with rows there: {shown or 'none yet'}"
        raise NotFoundError(f"{parsed.table} has no row {row_id}{hint}")
    return rows[0]


def image_of(tables: ShardTables, row_id: str, row: dict) -> str | None:
    """Id of the picture that a row is about; None for a rejection whose parent names none or is no more."""
    if row.get("image_id"):
        return row["image_id"]
    parent = row.get("parent_id")
    if parent is None or parse_row_id(parent).table == "rejections":
        return None
    try:
        return image_of(tables, parent, read_row(tables, parent))
    except NotFoundError:
        return None


def read_family(tables: ShardTables, row_id: str, row: dict) -> Family:
    """Who was made from whom among the rows of the picture that ``row`` is about, and their rejections.

    Args:
        tables: of the row's shard.
        row_id, row: as :func:`read_row` gives it.
    """
    tables.open_all()
    family = Family()
    image_id = image_of(tables, row_id, row)
    if image_id is not None:
        of_picture = pl.col("image_id") == image_id
        _add(family, tables, [table for table in KEYS if table != "rejections"], of_picture)
    _add(family, tables, ["rejections"], pl.col("parent_id").is_in(list(family.members)))
    if row_id not in family.members:
        _enter(family, parse_row_id(row_id).table, row)
    return family


def _add(family: Family, tables: ShardTables, names: Sequence[str], condition: pl.Expr) -> None:
    frames = {}
    for table in names:
        scan = tables.scan(table)
        if scan is not None:
            columns = [KEYS[table], *LABELS[table], *(reference.column for reference in references_of(table))]
            frames[table] = scan.filter(condition).sort("ordinal").select(list(dict.fromkeys(columns)))
    for table, rows in tables.collect(frames).items():
        for row in rows:
            _enter(family, table, row)


def _enter(family: Family, table: str, row: dict) -> None:
    row_id = row[KEYS[table]]
    family.members[row_id] = Member(row_id, table, {name: row[name] for name in LABELS[table]})
    family.named[row_id] = named_in(table, row)


def read_rows(tables: ShardTables, row_ids: Iterable[str]) -> dict[str, dict]:
    """Rows with these ids, all columns, by id in the order of tables and of data; ids without a row are left out."""
    wanted: dict[str, list[str]] = {}
    for row_id in row_ids:
        wanted.setdefault(parse_row_id(row_id).table, []).append(row_id)
    frames = {}
    for table in KEYS:
        scan = tables.scan(table) if table in wanted else None
        if scan is not None:
            frames[table] = scan.filter(pl.col(KEYS[table]).is_in(wanted[table])).sort("ordinal")
    return {row[KEYS[table]]: row for table, rows in tables.collect(frames).items() for row in rows}


def read_generations(tables: ShardTables, keys: Iterable[str]) -> dict[str, dict]:
    """Completions of the shard by request key; keys without one are left out."""
    scan, wanted = tables.scan("generations"), sorted(set(keys))
    if scan is None or not wanted:
        return {}
    rows = tables.collect({"rows": scan.filter(pl.col("request_key").is_in(wanted))})["rows"]
    return {row["request_key"]: row for row in rows}
