"""What a person may name: a row by its id, a completion by its key, a picture by its sha256, a shard."""

import re
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.delta_files import FILE, TableFolder
from lgt_assets.errors import NotFoundError
from lgt_assets.identity import SHARD_KEY, parse_row_id
from lgt_assets.lineage.declarations import KEYS, VOTED_ON, WRITTEN_BY_MODELS, request_keys
from lgt_assets.lineage.reading import ShardTables, read_generations, read_row

_HEX = re.compile(r"[0-9a-f]{64}")
_TABLES_WITH_KEYS = (*WRITTEN_BY_MODELS, "rejections")


@dataclass(frozen=True)
class Subject:
    """What was found: ``kind`` is row, completion or shard; of a row and a completion ``row`` has all columns.

    ``row_ids`` are, for a completion, the rows that were parsed from it or judged by it.
    """

    kind: str
    name: str
    tables: ShardTables
    row: dict = field(default_factory=dict)
    row_ids: tuple[str, ...] = ()

    @property
    def shard(self) -> str:
        """Where it lies."""
        return self.tables.shard


def find(folder: TableFolder, text: str) -> Subject:
    """What ``text`` names.

    Raises:
        NotFoundError: it names nothing that is there; the message says what could be named.
    """
    if _HEX.fullmatch(text):
        return _by_digest(folder, text)
    if SHARD_KEY.fullmatch(text):
        return _shard(folder, text)
    try:
        shard = parse_row_id(text).shard
    except NotFoundError as error:
        raise NotFoundError(
            f"{error}; the key of a completion (64 hexadecimal digits), the sha256 of a picture or a shard may be named, too"
        ) from error
    tables = ShardTables(folder, shard)
    return Subject("row", text, tables, read_row(tables, text))


def _by_digest(folder: TableFolder, text: str) -> Subject:
    found = _search(folder, "generations", "request_key", text)
    if found:
        tables = ShardTables(folder, min(found))
        row = read_generations(tables, [text])[text]
        return Subject("completion", text, tables, row, _rows_of(tables, text))
    found = _search(folder, "images", "sha256", text)
    if len(found) > 1:
        ids = ", ".join(sorted(found.values()))
        raise NotFoundError(f"{text} is the sha256 of a picture that lies in several shards: name one of {ids}")
    for shard, name in found.items():
        tables = ShardTables(folder, shard)
        return Subject("row", name, tables, read_row(tables, name))
    raise NotFoundError(
        f"{text} is neither the key of a completion in generations nor the sha256 of a picture in images"
    )


def _search(folder: TableFolder, table: str, column: str, value: str) -> dict[str, str]:
    """By shard, the key of the row that has the value: the one search that looks into all files, at one column of them."""
    if not folder.exists(table):
        return {}
    files = folder.open(table)
    if not files.slices:
        return {}
    key = KEYS.get(table, column)
    rows = files.scan_files(files.slices).filter(pl.col(column) == value).select(FILE, key).collect()
    shards = {name: one.shard for one in files.slices for name in one.files} if rows.height else {}
    return {shards[file]: found for file, found in rows.iter_rows()}


def _rows_of(tables: ShardTables, key: str) -> tuple[str, ...]:
    """Ids of the shard's rows that were parsed from a completion or judged by it."""
    tables.open_all()
    frames = {}
    for table in _TABLES_WITH_KEYS:
        scan = tables.scan(table)
        if scan is None:
            continue
        names_it = pl.col("request_key") == key
        if table in VOTED_ON:
            voted = pl.col("votes").list.eval(pl.element().struct.field("request_key") == key).list.any()
            names_it |= voted.fill_null(False)
        if table == "expanded_traces":
            names_it |= pl.col("judged_behaviours").struct.field("request_key").eq(key).fill_null(False)
        frames[table] = scan.filter(names_it).sort("ordinal").select(KEYS[table])
    return tuple(row[KEYS[table]] for table, rows in tables.collect(frames).items() for row in rows)


def _shard(folder: TableFolder, shard: str) -> Subject:
    tables = ShardTables(folder, shard)
    tables.open_all()
    if not any(files.of(shard) for files in tables.opened.values()):
        known = sorted({name for files in tables.opened.values() for name in files.shards})
        raise NotFoundError(f"no table has rows of the shard {shard}; there are {', '.join(known[:20]) or 'none yet'}")
    return Subject("shard", shard, tables)


def keys_of(rows: dict[str, dict]) -> list[str]:
    """Keys of all completions that the rows came from or were judged by, each once."""
    return list(dict.fromkeys(key for row in rows.values() for key in request_keys(row)))
