"""Shards that came while nobody told Dagster, and rows that came to known manifests."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from lgt_assets.assets.registration import note_members, register_source
from lgt_assets.partitions import SHARDS, registered_shards
from lgt_assets.resources import Tables
from lgt_assets.settings import state_folder
from lgt_assets.sources.growth import grown_manifests, shards_on_disk


@dg.sensor(job=register_source, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def new_shards(context: dg.SensorEvaluationContext, tables: Tables) -> dg.SensorResult:
    """Registers shards that lie in the state folder and are no partitions yet, and starts `register_source` for every manifest
    that changed since it was last added: its new rows become new shards.
    """
    known = set(registered_shards(context.instance))
    missing = [shard for shard in shards_on_disk(state_folder()) if shard not in known]
    if missing:
        note_members(tables.store(), missing)
    requests = list(_additions(state_folder()))
    if not missing and not requests:
        return dg.SensorResult(skip_reason=dg.SkipReason("no new shard in the state folder, no manifest changed"))
    additions = [SHARDS.build_add_request(missing)] if missing else []
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=additions)


def _additions(state: Path) -> Iterator[dg.RunRequest]:
    """One run for each manifest that changed; the same change asks once, also where the run fails, unless it added a part."""
    for grown in grown_manifests(state):
        config = {
            "name": grown.name, "kind": grown.kind, "options": grown.options, "shard_size": grown.shard_size
        }  # fmt: skip
        yield dg.RunRequest(
            run_key=f"{grown.name}-{grown.change}", run_config={"ops": {"add_source_to_shards": {"config": config}}}
        )
