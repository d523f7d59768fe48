"""Reads a hub dataset's Parquet files as they are needed, and the names of classes that their features give."""

import json
from collections.abc import Iterator, Sequence

import polars as pl
from polars.exceptions import PolarsError

from lgt_assets.errors import SourceError

# Rows given at a time; polars itself holds some row groups, which the hub's writers keep at about 100 rows.
_ROWS = 32


def read_rows(file: str, columns: Sequence[str]) -> Iterator[dict[str, object]]:
    """``columns`` of every row in order.

    Args:
        file: a path, or an address with a pattern.
        columns: which; others are not read.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
    """
    try:
        lazy = pl.scan_parquet(file, glob="://" in file)  # a local name is a name, whatever brackets it has
        there = lazy.collect_schema().names()
        missing = [name for name in columns if name not in there]
        if missing:
            raise SourceError(f"{file} has no column {', '.join(missing)}; its columns are {', '.join(there)}")
        for batch in lazy.select(columns).collect_batches(chunk_size=_ROWS, maintain_order=True):
            yield from batch.iter_rows(named=True)
    except (PolarsError, OSError) as error:
        raise SourceError(f"{file} cannot be read as Parquet: {error}") from error


def class_names(file: str, column: str, label: str) -> tuple[str, ...]:
    """Names of the ``ClassLabel`` that ``label`` in ``column`` is, from the features in the file's metadata; empty if none.

    Raises:
        SourceError: the file cannot be read.
    """
    if "://" in file:
        return ()  # a pattern has no metadata of its own: its labels have to be text
    try:
        features = json.loads(pl.read_parquet_metadata(file).get("huggingface", "{}"))["info"]["features"]
    except (PolarsError, OSError) as error:
        raise SourceError(f"{file} cannot be read as Parquet: {error}") from error
    except (ValueError, KeyError, TypeError):
        return ()  # written without datasets
    return _names(features.get(column) if isinstance(features, dict) else None, label)


def _names(feature: object, label: str) -> tuple[str, ...]:
    """Of the feature below ``feature`` that is called ``label``; lists of a feature, and features of a list, alike."""
    while isinstance(feature, dict):
        if feature.get("_type") == "ClassLabel":
            return tuple(map(str, feature.get("names") or ()))
        feature = feature.get(label, feature.get("feature"))
    return ()
