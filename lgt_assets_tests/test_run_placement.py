"""Runs that hold a pool are tagged for the launcher when they are submitted."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.run_coordinator import SubmitRunContext

from lgt_assets.definitions import defs

PLACE = "dagster-ray/config"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    tags = {"gpu": {PLACE: {"num_gpus": 1}, "queue": "gpu"}}
    coordinator = {"module": "lgt_assets.run_placement", "class": "PlacingRunCoordinator"}
    overrides = {
        "run_coordinator": coordinator | {"config": {"tags_of_pools": tags, "dequeue_interval_seconds": 3}},
        "concurrency": {"pools": {"granularity": "run", "default_limit": 2}},
        "telemetry": {"enabled": False},
    }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        yield instance


def submitted(instance: dg.DagsterInstance, *assets: str, tags: dict[str, str] | None = None) -> dg.DagsterRun:
    job = defs.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={dg.AssetKey(name) for name in assets}
    )
    run = instance.create_run_for_job(job, asset_selection=frozenset(dg.AssetKey(name) for name in assets), tags=tags)
    with pytest.MonkeyPatch.context() as patch:
        # Only runs of a code location can be enqueued; what the coordinator does before is what counts here.
        patch.setattr(dg.QueuedRunCoordinator, "submit_run", lambda _self, context: context.dagster_run)
        instance.run_coordinator.submit_run(SubmitRunContext(run, None))
    return instance.get_run_by_id(run.run_id)


@pytest.mark.parametrize("asset", ["seed_questions", "sft_model", "evaluation"])
def test_a_run_that_asks_or_trains_a_model_gets_the_tags_of_its_pool(instance: dg.DagsterInstance, asset: str) -> None:
    tags = submitted(instance, asset).tags
    assert json.loads(tags[PLACE]) == {"num_gpus": 1} and tags["queue"] == "gpu"


def test_a_run_that_asks_no_model_gets_none(instance: dg.DagsterInstance) -> None:
    assert not {PLACE, "queue"} & set(submitted(instance, "sft_mix").tags)


def test_tags_of_whoever_launched_the_run_stay(instance: dg.DagsterInstance) -> None:
    own = json.dumps({"num_gpus": 2})
    tags = submitted(instance, "seed_questions", "sft_mix", tags={PLACE: own}).tags
    assert tags[PLACE] == own and tags["queue"] == "gpu"


def test_the_queue_keeps_its_own_settings(instance: dg.DagsterInstance) -> None:
    assert instance.run_coordinator.dequeue_interval_seconds == 3
    assert instance.get_concurrency_config().pool_config.default_pool_limit == 2
