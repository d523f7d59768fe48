"""Taking what is shown of a picture out of Dagster's event log.

Dagster has no call for it: `wipe_asset_partitions` is not implemented for SQLite and Postgres, and wiping an asset, or deleting
runs, would take the record of all other shards. So events are edited where they lie, by the definitions of Dagster's own tables.
Numbers stay; previews, plots and what checks said of a touched shard go; ids and texts go from all other events.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import sqlalchemy as db
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from lgt_assets.errors import StorageError
from lgt_assets.takedown.texts import GONE, spellings, without

ROWS_AT_ONCE = 200
# Columns in which an event, or a copy of one, stands as JSON.
_PLACES = (
    (SqlEventLogStorageTable, "event"),
    (AssetKeyTable, "last_materialization"),
    (AssetCheckExecutionsTable, "evaluation_event"),
)
_SHOWN = ("preview", "plots", "card")
_SAID = ("description", "message", "said")


def clean_event_log(
    instance: dg.DagsterInstance, *, shards: Collection[str], texts: Sequence[str], releases: Collection[str]
) -> int:
    """Edit all events and captured output that show or name what was taken down; how many changed.

    Args:
        instance: whose log.
        shards: what was touched: of their events every markdown goes.
        texts: ids and words that go from everywhere.
        releases: ids of releases whose cards showed it.

    Raises:
        StorageError: the log is kept in no SQL database, and nobody knows how to edit it.
    """
    storage = _sql_storage(instance)
    written = spellings(texts)
    changed = 0
    for connect in _connections(storage):
        with connect as connection:
            there = set(db.inspect(connection).get_table_names())
            for table, column in _PLACES:
                if table.name in there:
                    changed += _clean_column(connection, table, column, written, shards, releases)
            engine = connection.engine
            if engine.dialect.name == "postgresql":
                _forget_dead_rows(connection, [table.name for table, _column in _PLACES if table.name in there])
        if engine.dialect.name == "sqlite":
            _forget_free_pages(str(engine.url.database))
    return changed + _clean_output(Path(instance.root_directory), written)


def _sql_storage(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    storage = instance.event_log_storage
    storage = getattr(storage, "_storage", storage)  # of one storage for all
    inner = getattr(storage, "event_log_storage", storage)
    if not isinstance(inner, SqlEventLogStorage):
        raise StorageError(f"the event log in {type(inner).__name__} cannot be edited: previews in it stay")
    return inner


def _connections(storage: SqlEventLogStorage) -> Iterator[Any]:
    """Of the index, and of every run where runs have databases of their own."""
    yield storage.index_connection()
    if hasattr(storage, "path_for_shard"):
        outside = [""] if Path(storage.path_for_shard("")).is_file() else []  # events that no run reported
        for run_id in [*outside, *storage.get_all_run_ids()]:
            yield storage.run_connection(run_id)


def _clean_column(
    connection: db.engine.Connection, table: db.Table, column: str, written: Sequence[str], shards: Collection[str],
    releases: Collection[str],
) -> int:  # fmt: skip
    content, last, changed = table.c[column], 0, 0
    while True:
        query = db.select(table.c.id, content).where(table.c.id > last, content.is_not(None))
        found = connection.execute(query.order_by(table.c.id).limit(ROWS_AT_ONCE)).fetchall()
        if not found:
            return changed
        last = found[-1][0]
        rows = pl.DataFrame({"id": [row[0] for row in found], "old": [row[1] for row in found]})
        rows = rows.with_columns(without("old", written).alias("new"))
        for number, old, new in rows.iter_rows():
            new = cleaned(new, shards, releases)
            if new != old:
                connection.execute(table.update().where(table.c.id == number).values({column: new}))
                changed += 1


def _forget_free_pages(path: str) -> None:
    """SQLite leaves what was overwritten in its file until that is built anew."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _forget_dead_rows(connection: db.engine.Connection, tables: Sequence[str]) -> None:
    """Postgres keeps what was overwritten beside it; VACUUM FULL writes a table anew, and waits for those who read it."""
    for table in tables:
        connection.exec_driver_sql(f"VACUUM FULL {table}")


def _clean_output(home: Path, written: Sequence[str]) -> int:
    """Standard output and errors of steps, as they were captured."""
    changed = 0
    for path in sorted([*home.rglob("compute_logs/*.out"), *home.rglob("compute_logs/*.err")]):
        old = path.read_text(encoding="utf-8", errors="replace")
        new = pl.DataFrame({"text": [old]}).select(without("text", written)).item()
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed += 1
    return changed


def cleaned(event: str, shards: Collection[str], releases: Collection[str]) -> str:
    """An event's JSON without what shows the content of touched shards or releases; other events come back as they are."""
    if not any(f'"{shard}"' in event for shard in shards) and not any(release in event for release in releases):
        return event
    told = json.loads(event)
    of_shard = any(_is_of(told, shard) for shard in shards)
    if not of_shard and not any(release in event for release in releases):
        return event
    return json.dumps(_without_shown(told, whole=of_shard))


def _is_of(told: object, shard: str) -> bool:
    """Whether an event is of the shard: it names it as its partition."""
    if isinstance(told, dict):
        return told.get("partition") == shard or any(_is_of(value, shard) for value in told.values())
    return isinstance(told, list) and any(_is_of(value, shard) for value in told)


def _without_shown(told: Any, *, whole: bool, label: str = "") -> Any:
    if isinstance(told, list):
        return [_without_shown(value, whole=whole) for value in told]
    if not isinstance(told, dict):
        return told
    label = str(told.get("label") or label)
    if "md_str" in told and (whole or label in _SHOWN):
        return told | {"md_str": GONE}
    is_check = (
        told.get("__class__") == "AssetCheckEvaluation" or told.get("event_type_value") == "ASSET_CHECK_EVALUATION"
    )
    kept = {}
    for name, value in told.items():
        if whole and isinstance(value, str) and value and name in _SAID and is_check:
            kept[name] = GONE
        elif whole and name == "text" and label == "said":
            kept[name] = GONE
        else:
            kept[name] = _without_shown(value, whole=whole, label=label if name == "entry_data" else name)
    return kept
