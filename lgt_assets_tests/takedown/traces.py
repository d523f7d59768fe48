"""Every text that lies below a folder, whatever it lies in: Parquet, journals, JSON, SQLite, plain files; and its needles."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def texts_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Of every file its bytes as text, and what lies compressed in it; and its name."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        yield path, path.name
        yield path, path.read_bytes().decode("utf-8", "replace")
        if ".parquet" in path.name:
            yield from ((path, text) for text in _strings(pq.read_table(path)))
        if path.suffix in (".db", ".sqlite"):
            with closing(sqlite3.connect(path)) as database:
                yield path, "\n".join(database.iterdump())


def _strings(table: pa.Table) -> Iterator[str]:
    for row in table.to_pylist():
        yield str(row)


def found_below(folder: Path, needles: set[str]) -> dict[str, set[str]]:
    """Needles by relative path of the file that has them."""
    found: dict[str, set[str]] = {}
    for path, text in texts_below(folder):
        there = {needle for needle in needles if needle in text}
        if there:
            found.setdefault(str(path.relative_to(folder)), set()).update(there)
    return found
