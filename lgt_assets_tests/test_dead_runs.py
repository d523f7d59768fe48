"""Runs whose process was killed, seen by the next process, and by one that waits already."""

import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.dead_runs import close_dead_runs
from lgt_assets.instance import open_instance

IN_THE_POOL = """
import sys
import dagster as dg
from lgt_assets.dead_runs import closing_dead_runs
from lgt_assets.instance import open_instance

@dg.asset(pool="gpu")
def holder():
    print("holds", flush=True)
    sys.stdin.readline()

job = dg.Definitions(assets=[holder], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
with open_instance() as instance, closing_dead_runs(instance, every_seconds=0.2):
    print("starts", flush=True)
    job.execute_in_process(instance=instance)
"""
PATIENCE = 120


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    with open_instance():
        return tmp_path / "state"


def started() -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", IN_THE_POOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "starts\n"
    return process


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL


def statuses() -> list[dg.DagsterRunStatus]:
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in instance.get_runs()]


def test_a_killed_run_gives_its_slot_back(state: Path) -> None:
    holder = started()
    assert holder.stdout.readline() == "holds\n"
    kill(holder)
    with open_instance() as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.event_log_storage.get_concurrency_info("gpu").active_slot_count == 0
        assert close_dead_runs(instance) == []


def test_who_waits_already_gets_the_slot_of_the_killed(state: Path) -> None:
    holder = started()
    assert holder.stdout.readline() == "holds\n"
    waiting = started()
    kill(holder)
    assert waiting.stdout.readline() == "holds\n"
    waiting.communicate("\n", timeout=PATIENCE)
    assert waiting.returncode == 0
    assert statuses() == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def test_living_runs_are_left_alone(state: Path) -> None:
    holder = started()
    assert holder.stdout.readline() == "holds\n"
    with open_instance() as instance:
        assert close_dead_runs(instance) == []
    holder.communicate("\n", timeout=PATIENCE)
    assert statuses() == [dg.DagsterRunStatus.SUCCESS]


def test_a_run_of_this_process_is_no_dead_one(state: Path) -> None:
    @dg.asset(pool="gpu")
    def looking(context: dg.AssetExecutionContext) -> list[str]:
        return close_dead_runs(context.instance, is_running=True)

    job = dg.Definitions(assets=[looking], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
    with open_instance() as instance:
        assert job.execute_in_process(instance=instance).output_for_node("looking") == []
    assert statuses() == [dg.DagsterRunStatus.SUCCESS]
