"""Which rows of a table people judge: a simple random sample, drawn by the hash of the row's id with a seed."""

import hashlib
from collections.abc import Sequence

import polars as pl

from lgt_assets.audit_vocabulary import AUDITED_TABLES
from lgt_assets.errors import NotFoundError
from lgt_assets.lineage import KEYS
from lgt_assets.storage import DeltaStore


def draw_sample(row_ids: Sequence[str], count: int, seed: int) -> list[str]:
    """``count`` of the ids (all where there are fewer), those with the lowest hashes, in that order.

    Every row is as likely as any other, whatever its shard, and rows that are added later do not change the order of the others:
    a larger sample of the same seed begins with the smaller one.
    """
    return sorted(row_ids, key=lambda row_id: (_hash(row_id, seed), row_id))[:count]


def _hash(row_id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"audit:{seed}:{row_id}".encode(), digest_size=8).digest()


def sample_ids(store: DeltaStore, table: str, count: int, seed: int) -> tuple[list[str], int]:
    """Ids drawn from all rows of ``table``, and how many rows there are.

    Raises:
        NotFoundError: the table cannot be audited, or has no rows.
    """
    if table not in AUDITED_TABLES:
        raise NotFoundError(f"--table {table}: there are {', '.join(AUDITED_TABLES)}")
    row_ids = store.scan(table).select(pl.col(KEYS[table])).collect().to_series().to_list()
    if not row_ids:
        raise NotFoundError(f"{table} has no rows yet: run `lgt run --select {table}` first")
    return draw_sample(row_ids, count, seed), len(row_ids)
