"""Earlier versions of the tables: data files of touched shards that the latest version lacks, and what the log says of them.

Delta's vacuum works on whole versions, of which releases of other shards still pin some. Here the files of some shards go, from
every version, so that those releases stay what they are. Of a table without ordinals, and of files that earlier versions of the
package wrote, the log keeps the smallest and largest value of every column, texts among them: of files that are gone it keeps
no more than the number of rows.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from lgt_assets.schemas import partition_columns
from lgt_assets.sources.files import write_atomically
from lgt_assets.storage import DeltaStore
from lgt_assets.table_locks import alone, is_remote

Goes = Callable[[str], bool]


def remove_history(store: DeltaStore, table: str, shards: Collection[str]) -> int:
    """Remove what earlier versions of ``table`` hold of ``shards`` (of a table without shards: all of it); files removed.

    Below a URL nothing is removed: see :func:`left_to_vacuum`.

    Raises:
        StorageError: somebody writes to the table.
    """
    if is_remote(store.root) or not store.exists(table):
        return 0
    folder = Path(store.uri(table))
    sliced = "shard" in partition_columns(table)
    prefixes = tuple(f"shard={shard}/" for shard in sorted(shards))
    with alone(store.root, table):
        current = {unquote(path) for path in pl.DataFrame(store.open(table).get_add_actions(flatten=True))["path"]}

        def goes(path: str) -> bool:
            return unquote(path) not in current and (not sliced or path.startswith(prefixes))

        removed = 0
        for file in sorted(folder.rglob("*.parquet*")):
            path = str(file.relative_to(folder))
            if not path.startswith("_delta_log/") and goes(path):
                file.unlink()
                removed += 1
        for log in sorted((folder / "_delta_log").iterdir()):
            if log.suffix == ".json":
                _strip_commit(log, goes)
            elif log.suffix == ".parquet":
                _strip_checkpoint(log, goes)
    return removed


def left_to_vacuum(store: DeltaStore) -> str:
    """What a person has to do about earlier versions; "" where nothing is left to be done."""
    if not is_remote(store.root):
        return ""
    return f"tables at {store.root}: earlier versions stay until they are vacuumed there, by hand and without any retention"


def _strip_commit(path: Path, goes: Goes) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    stripped = [_strip_action(line, goes) for line in lines]
    if stripped != lines:
        write_atomically(path, "\n".join(stripped).encode())


def _strip_action(line: str, goes: Goes) -> str:
    action = json.loads(line) if line.strip() else {}
    for kind in ("add", "remove"):
        file = action.get(kind)
        if file and file.get("stats") and goes(file["path"]):
            stats = _count_alone(file["stats"])
            if stats != file["stats"]:
                file["stats"] = stats
                return json.dumps(action, ensure_ascii=False, separators=(",", ":"))
    return line


def _count_alone(stats: str) -> str:
    return json.dumps({"numRecords": json.loads(stats).get("numRecords", 0)}, separators=(",", ":"))


def _strip_checkpoint(path: Path, goes: Goes) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    place = table.schema.get_field_index("add")
    if place < 0:
        return
    add = table.column(place).combine_chunks()
    names = [field.name for field in add.type]
    fields = [add.field(name) for name in names]
    gone = [bool(path) and goes(path) for path in add.field("path").to_pylist()]
    if not any(gone):
        return
    for number, name in enumerate(names):
        if name == "stats":
            texts = [
                _count_alone(text) if text and is_gone else text
                for text, is_gone in zip(fields[number].to_pylist(), gone, strict=True)
            ]
            fields[number] = pa.array(texts, fields[number].type)
        elif name == "stats_parsed":
            rows = [None if is_gone else row for row, is_gone in zip(fields[number].to_pylist(), gone, strict=True)]
            fields[number] = pa.array(rows, fields[number].type)
    redone = pa.StructArray.from_arrays(fields, fields=list(add.type), mask=add.is_null())
    buffer = pa.BufferOutputStream()
    pq.write_table(table.set_column(place, table.schema.field(place), redone), buffer, compression="zstd")
    write_atomically(path, buffer.getvalue().to_pybytes())
