"""Automation on the real web server and daemon: it makes what is missing, and nothing else."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, RunsFilter

from lgt_assets.automation import AUTOMATION
from lgt_assets.validation import BLOCKING_CHECKS
from lgt_assets_tests.dagit import wait_until
from lgt_assets_tests.served import Served, serving

SOURCES = ["images", "grounded_objects"]
BELOW = [
    "seed_questions", "composed_questions", "distilled_cots", "expanded_traces", "preference_pairs", "sft_mix", "rl_prompts",
]  # fmt: skip

pytestmark = pytest.mark.slow


def test_automation_makes_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.instance() as instance:
        good, failed, poisoned = served.add_scenes("auto", 3, seed=4)
        shards = [good, failed, poisoned]
        assert served.dagit.backfill(SOURCES, shards)["status"] == "COMPLETED_SUCCESS"
        before = served.slices(SOURCES, shards)
        served.poison("images", failed, caption="")
        assert served.launch_run([], failed, failed, checks={"images": BLOCKING_CHECKS})[0] == "FAILURE"
        assert served.check("images", "schema", failed)["status"] == "FAILED"
        served.poison("images", poisoned, caption="")
        assert ticks(instance) == 0  # off until somebody switches it on
        served.start_sensor(AUTOMATION.name)
        new = served.add_scenes("auto", 4, seed=4)
        whole = {good, *new}
        for asset in (*SOURCES, *BELOW):
            wait_until(lambda asset=asset: whole <= made(served, asset, [*shards, *new]), 240, f"{asset} of {whole}")
        for asset in BELOW:
            assert made(served, asset, [*shards, *new]) == whole, asset
        assert served.partitions("seed_questions", shards)["failed"] == {poisoned}
        # it neither tries again what failed nor makes again what is there
        wait_until(lambda: not instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES)), 120, "an end of runs")
        runs, seen = {run.run_id for run in instance.get_runs()}, ticks(instance)
        wait_until(lambda: ticks(instance) >= seen + 2, 120, "two more looks")
        assert {run.run_id for run in instance.get_runs()} == runs
        after = served.slices(SOURCES, shards)
        assert {key: value[2] for key, value in after.items()} == {key: value[2] for key, value in before.items()}


def made(served: Served, asset: str, shards: list[str]) -> set[str]:
    return served.partitions(asset, shards)["materialized"]


def ticks(instance: dg.DagsterInstance) -> int:
    """How often the automation has looked."""
    states = [state for state in instance.all_instigator_state() if state.instigator_name == AUTOMATION.name]
    return sum(len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) for state in states)
