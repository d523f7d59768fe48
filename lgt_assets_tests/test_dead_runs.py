"""Runs whose process was killed, seen by the next process, and by one that waits already."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def started() -> Iterator[subprocess.Popen]:
    """A process with a run; it lives no longer than is waited for it."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", IN_THE_POOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    limit = threading.Timer(PATIENCE, process.kill)
    limit.start()
    try:
        assert process.stdout.readline() == "starts\n"
        yield process
    finally:
        limit.cancel()
        process.kill()
        process.communicate()


class StaleInstance:
    """The real instance, which lists the runs as they were a while ago."""

    def __init__(self, instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]) -> None:
        self._instance, self._runs = instance, runs

    def get_runs(self, filters: dg.RunsFilter) -> Sequence[dg.DagsterRun]:
        return self._runs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL


def statuses() -> list[dg.DagsterRunStatus]:
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in instance.get_runs()]


def test_a_killed_run_gives_its_slot_back(state: Path) -> None:
    with started() as holder:
        assert holder.stdout.readline() == "holds\n"
        kill(holder)
    with open_instance() as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.event_log_storage.get_concurrency_info("gpu").active_slot_count == 0
        assert close_dead_runs(instance) == []


def test_who_waits_already_gets_the_slot_of_the_killed(state: Path) -> None:
    with started() as holder:
        assert holder.stdout.readline() == "holds\n"
        with started() as waiting:
            kill(holder)
            assert waiting.stdout.readline() == "holds\n"
            waiting.communicate("\n", timeout=PATIENCE)
            assert waiting.returncode == 0
    assert statuses() == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def test_living_runs_are_left_alone(state: Path) -> None:
    with started() as holder:
        assert holder.stdout.readline() == "holds\n"
        with open_instance() as instance:
            assert close_dead_runs(instance) == []
        holder.communicate("\n", timeout=PATIENCE)
    assert statuses() == [dg.DagsterRunStatus.SUCCESS]


def test_a_killed_process_that_nobody_asked_for_is_a_dead_one(state: Path) -> None:
    with started() as holder:
        assert holder.stdout.readline() == "holds\n"
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and keeps its number
        with open_instance():
            assert statuses() == [dg.DagsterRunStatus.FAILURE]


def test_a_run_that_ended_while_it_was_looked_at_keeps_its_end(state: Path) -> None:
    with started() as holder:
        assert holder.stdout.readline() == "holds\n"
        with dg.DagsterInstance.get() as instance:
            seen = instance.get_runs()
            holder.communicate("\n", timeout=PATIENCE)
            stale = StaleInstance(instance, seen)
            assert close_dead_runs(stale) == []
    assert statuses() == [dg.DagsterRunStatus.SUCCESS]


def test_a_run_of_this_process_is_no_dead_one(state: Path) -> None:
    @dg.asset(pool="gpu")
    def looking(context: dg.AssetExecutionContext) -> list[str]:
        return close_dead_runs(context.instance, is_running=True)

    job = dg.Definitions(assets=[looking], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
    with open_instance() as instance:
        assert job.execute_in_process(instance=instance).output_for_node("looking") == []
    assert statuses() == [dg.DagsterRunStatus.SUCCESS]
