"""The shard partitions that every table but `release` is made of, and how backfills are cut into runs."""

import dagster as dg

SHARDS = dg.DynamicPartitionsDefinition(name="shard")

# One policy for the whole chain: a range run loads each model once, and a different policy downstream lets a failed
# gate through.
SHARDS_PER_RUN = 8
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=SHARDS_PER_RUN)


def registered_shards(instance: dg.DagsterInstance) -> list[str]:
    """Shard keys known to Dagster, in the order of their registration."""
    return list(instance.get_dynamic_partitions(str(SHARDS.name)))


def register_shards(instance: dg.DagsterInstance, shards: list[str]) -> None:
    """Make shards known to Dagster; known ones stay as they are."""
    instance.add_dynamic_partitions(str(SHARDS.name), shards)
