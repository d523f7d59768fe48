"""Rows out of the tables: one commit a table, of the shards that are touched; and the tombstones in."""

from collections.abc import Sequence

import polars as pl

from lgt_assets.schemas import frame, partition_columns
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.below import KEYS
from lgt_assets.takedown.plan import Plan
from lgt_assets.takedown.records import TABLE, digest_of_id

MEMBERS = "shard_members"
_COMMIT = {"lgt_asset": "takedown"}  # no id: the log is kept


def note_takedown(store: DeltaStore, plan: Plan) -> None:
    """Put the tombstones, and the rows of ``takedowns``: first of all, so that nothing brings the pictures back meanwhile."""
    members = store.read(MEMBERS, shards=plan.shards)
    if set(plan.image_ids) - set(members.filter("removed")["image_id"]):
        store.rewrite(MEMBERS, lambda: iter([_with_tombstones(members, plan)]), shards=plan.shards, metadata=_COMMIT)
    known = set(store.read(TABLE)["image_id"])
    counts = [{"table": table, "rows": len(ids)} for table, ids in plan.rows.items()]
    digests = sorted(digest_of_id(one) for one in plan.ids)
    rows = [
        {
            "image_id": picture.image_id, "sha256": picture.sha256, "shard": picture.shard, "command": plan.command,
            "taken_down_at": plan.began_at, "removed": counts, "row_digests": digests, "releases": plan.releases,
        }
        for picture in plan.pictures if picture.image_id not in known
    ]  # fmt: skip
    if rows:
        store.append(TABLE, frame(TABLE, rows), metadata=_COMMIT)


def _with_tombstones(members: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    known = set(members["image_id"])
    missing = [
        {"shard": one.shard, "image_id": one.image_id, "sha256": one.sha256, "removed": True}
        for one in plan.pictures
        if one.image_id not in known
    ]
    removed = pl.col("removed") | pl.col("image_id").is_in(plan.image_ids)
    return pl.concat([members.with_columns(removed.alias("removed")), frame(MEMBERS, missing)])


def remove_rows(store: DeltaStore, table: str, plan: Plan) -> bool:
    """Remove the plan's rows of one table in one commit; False where none of them is left."""
    ids, key = plan.rows.get(table, []), KEYS[table]
    shards = plan.shards_of(table) if "shard" in partition_columns(table) else [""]
    if not ids or not store.exists(table) or not any(_goes(store, table, shard, key, ids) for shard in shards):
        return False

    names = list(frame(table, []).columns)
    # Read before it is written: a Delta table cannot be read in the threads of its own writer.
    scans = (store.scan(table, shards=[shard] if shard else None) for shard in shards)
    kept = [rows.filter(~pl.col(key).is_in(ids)).select(names).collect() for rows in scans]
    store.rewrite(table, lambda: iter(kept), shards=shards, metadata=_COMMIT)
    return True


def _goes(store: DeltaStore, table: str, shard: str, key: str, ids: Sequence[str]) -> bool:
    rows = store.scan(table, shards=[shard] if shard else None)
    return rows.filter(pl.col(key).is_in(ids)).head(1).collect().height > 0
