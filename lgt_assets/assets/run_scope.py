"""What one run makes, and which of its shards it could not make. The event log keeps it, so every step can ask."""

from collections.abc import Mapping

import dagster as dg

from lgt_assets.markdown import plain_text

NOT_MADE = "not_made"
CHECKS_STEP = "_checks"
# Observations of a shard that may come after the one that says why it was not made, such as progress.
_OBSERVATIONS = 20
_SHOWN_CHARACTERS = 2000
Scope = dg.OpExecutionContext | dg.AssetExecutionContext


def tables_made_in(context: Scope) -> set[str]:
    """Tables that this run's steps make: when some steps are executed again, only theirs."""
    keys = {key.to_user_string() for key in context.job_def.asset_layer.selected_asset_keys}
    steps = context.run.step_keys_to_execute
    return keys if steps is None else keys & set(steps)


def is_read_in(context: Scope, table: str) -> bool:
    """Whether another step of this run reads ``table``: a failure of what comes before it would skip it for all shards."""
    children = context.job_def.asset_layer.get(dg.AssetKey(table)).child_keys
    return any(child.to_user_string() in tables_made_in(context) for child in children)


def is_followed_in(context: Scope, table: str) -> bool:
    """Whether a later step of this run will fail it for shards of ``table`` that were not made: its checks, or who reads it."""
    steps, checks = context.run.step_keys_to_execute, f"{table}{CHECKS_STEP}"
    checked = context.job_def.graph.has_node_named(checks) and (steps is None or checks in steps)
    return checked or is_read_in(context, table)


def not_made(table: str, shard: str, reason: str) -> dg.AssetObservation:
    """The event that says why a run did not make a shard; Dagit shows it on the shard's page, and steps below quote it."""
    description = plain_text(reason, _SHOWN_CHARACTERS)  # Dagit renders it as Markdown, and a reason may quote rows
    return dg.AssetObservation(
        asset_key=table, partition=shard, description=description, metadata={NOT_MADE: dg.MetadataValue.text(reason)}
    )


def shards_not_made(context: Scope, table: str, made: Mapping[str, dg.EventLogRecord | None]) -> dict[str, str]:
    """Those shards that this run should have made of ``table`` and did not, or that never were made; with the reason.

    Args:
        made: the latest materialization of every shard in question.
    """
    run_id, made_here = context.run.run_id, table in tables_made_in(context)
    missing = [shard for shard, record in made.items() if record is None or (made_here and record.run_id != run_id)]
    return {shard: why_not_made(context.instance, table, shard, run_id) for shard in missing}


def why_not_made(instance: dg.DagsterInstance, table: str, shard: str, run_id: str, *, otherwise: str = "") -> str:
    """What the run said when it did not make the shard; if it said nothing, ``otherwise``, or that it was never made."""
    filter_ = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[shard])
    for record in instance.fetch_observations(filter_, limit=_OBSERVATIONS).records:
        observation = record.asset_observation
        if observation is not None and record.run_id == run_id and NOT_MADE in observation.metadata:
            return str(observation.metadata[NOT_MADE].value)
    return otherwise or f"{table} has no shard {shard}: materialize it first ({command(table, shard)}), then this asset"


def how_to_mend(table: str, shard: str) -> str:
    """What to do about a shard that may not be read."""
    return f"materialize {table} for {shard} again ({command(table, shard)}), then this asset"


def command(table: str, shard: str) -> str:
    """What makes one shard from the command line."""
    return f"lgt run --select {table} --shards {shard}"
