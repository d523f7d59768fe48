"""Which stored completions somebody needs: those that rows name, and those that making the assets again would ask for."""

from collections.abc import Callable

import polars as pl

from lgt_assets.assets.dry_run import keys_planned
from lgt_assets.resources import Models
from lgt_assets.schemas import SCHEMAS, polars_schema
from lgt_assets.storage import DeltaStore

# They say what is stored, or what is not: not who needs it.
NOT_USERS = ("generations", "failures")


def keys_named(store: DeltaStore, shard: str) -> set[str]:
    """Request keys in the shard's rows: of rows, of rejections, and of votes."""
    named: set[str] = set()
    for table in SCHEMAS:
        columns = polars_schema(table)
        if table in NOT_USERS or "shard" not in columns:
            continue
        rows = store.scan(table, shards=[shard])
        if "request_key" in columns:
            named.update(rows.select("request_key").drop_nulls().collect()["request_key"])
        if "votes" in columns:
            votes = rows.select(pl.col("votes").explode().struct.field("request_key")).drop_nulls().collect()
            named.update(votes["request_key"])
    return named


def needed(models: Models, store: DeltaStore, shard: str) -> Callable[[pl.DataFrame], pl.Series]:
    """A test for rows of completions: which must stay.

    Needed is what a row names; what the assets would ask for if they were made again now, so that nothing is ever paid twice
    for the present profile; and everything of an asset whose requests cannot all be foreseen (see :mod:`.dry_run`).
    """
    planned, unforeseen = keys_planned(models, store, shard)
    keys = pl.Series(sorted(planned | keys_named(store, shard)), dtype=pl.String)
    return lambda rows: rows["request_key"].is_in(keys.implode()) | rows["asset"].is_in(sorted(unforeseen))
