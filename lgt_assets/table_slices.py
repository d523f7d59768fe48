"""The files of a table's slices: which they are, and their rows, without a look at any other file.

A query engine that is given a Delta table asks about every file of it before it opens one. A shard is read dozens of times while
it is made, so it is read by its files' names instead.
"""

from collections.abc import Iterable, Mapping

import polars as pl
from deltalake import DeltaTable

from lgt_assets.delta_files import root_of
from lgt_assets.errors import StorageError
from lgt_assets.schemas import frame

# Up to so many shards are read by name; of more, the query engine may as well look at every file.
FEW = 16


def slice_paths(delta: DeltaTable, place: Mapping[str, str]) -> list[str]:
    """Paths, below the table's folder and sorted, of the files whose partition columns have these values."""
    folder = delta.table_uri.removeprefix("file://")
    filters = [(column, "=", value) for column, value in place.items()]
    uris = delta.file_uris(file_pruning_predicate=filters)
    return sorted(uri.removeprefix("file://").removeprefix(folder) for uri in uris)


def scan_slices(delta: DeltaTable, table: str, places: Iterable[Mapping[str, str]]) -> pl.LazyFrame:
    """Rows of some slices of a local table, with the table's columns in its order; files are opened when it is collected.

    Args:
        delta: the table, opened at a version.
        table: its name in the data dictionary.
        places: values of partition columns, for each slice.
    """
    root = root_of(delta)
    by_values: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for place in places:
        for path in slice_paths(delta, place):
            by_values.setdefault(_values(path), []).append(f"{root}/{path}")
    names = [field.name for field in delta.schema().fields]
    if not by_values:
        return frame(table, []).lazy().select(names)
    scans = [
        pl.scan_parquet(files, hive_partitioning=False, glob=False)
        .with_columns(**{column: pl.lit(value) for column, value in values})
        .select(names)
        for values, files in by_values.items()
    ]
    return pl.concat(scans) if len(scans) > 1 else scans[0]


def require_slice(table: str, rows: pl.DataFrame, place: Mapping[str, str]) -> None:
    """Refuse rows of another slice than ``place``, or of other columns than the data dictionary's.

    Raises:
        StorageError: names the table, and what is wrong.
    """
    for column, value in place.items():
        if rows.height and rows[column].unique().to_list() != [value]:
            raise StorageError(
                f"table {table}: rows of {rows[column].unique().to_list()} in the slice {column}={value!r}"
            )
    require_schema(table, rows)


def require_schema(table: str, rows: pl.DataFrame) -> None:
    """Refuse rows of other columns or types than the data dictionary's.

    Raises:
        StorageError: names the table and the columns.
    """
    expected = frame(table, []).schema
    if dict(rows.schema) != dict(expected):
        odd = sorted(name for name in {*rows.columns, *expected} if rows.schema.get(name) != expected.get(name))
        raise StorageError(
            f"table {table}: columns {odd} differ from the data dictionary; build rows with schemas.frame"
        )


def _values(path: str) -> tuple[tuple[str, str], ...]:
    """Partition columns of a file, as its folders name them; ours are plain words (identity.SHARD_KEY, names of assets)."""
    return tuple(tuple(folder.split("=", 1)) for folder in path.split("/")[:-1])
