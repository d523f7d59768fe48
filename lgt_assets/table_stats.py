"""What the tables hold, and what is kept of earlier versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.leftover_files import bytes_of
from lgt_assets.pinned_versions import pinned_versions
from lgt_assets.schemas import SCHEMAS
from lgt_assets.storage import DeltaStore
from lgt_assets.table_locks import is_remote


@dataclass(frozen=True)
class TableStats:
    """A table's latest version, and what lies beside it.

    Args:
        rows, files, bytes: of the latest version.
        bytes_kept: of everything in the table's folder, log and earlier versions included; 0 below a URL, where nobody counts.
        version: the latest.
        versions: how many the log still tells of; files of those that no release pins may be gone.
        pinned: releases by the version that they pin.
    """

    table: str
    rows: int
    files: int
    bytes: int
    bytes_kept: int
    version: int
    versions: int
    pinned: dict[int, list[str]]


def existing_tables(store: DeltaStore) -> list[str]:
    """Tables that have been created, in the data dictionary's order."""
    return [table for table in SCHEMAS if store.exists(table)]


def table_stats(store: DeltaStore) -> Iterator[TableStats]:
    """Of every table that has been created; only logs are read."""
    pins = pinned_versions(store)
    for table in existing_tables(store):
        delta = store.open(table)
        files = pl.DataFrame(delta.get_add_actions(flatten=True))
        kept = 0 if is_remote(store.root) else bytes_of(Path(store.uri(table)))
        yield TableStats(
            table, int(files["num_records"].sum()), files.height, int(files["size_bytes"].sum()), kept,
            delta.version(), len(delta.history()), pins.get(table, {}),
        )  # fmt: skip
