"""Runs whose process was killed: they are closed, and what they hold of a pool is given back."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster import DefaultRunLauncher
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher

_EVERY_SECONDS = 10.0
_LOG = logging.getLogger(__name__)


def close_dead_runs(instance: dg.DagsterInstance, *, is_running: bool = False) -> list[str]:
    """Mark runs failed whose process on this machine is gone, and free the pool slots they hold; return their ids.

    A killed run keeps its slot of the pool `gpu` otherwise, and the next run would wait for it without end. Where a cluster runs
    them, their processes are on other machines, and Dagster's run monitoring looks after them.

    Args:
        instance: where the runs are kept.
        is_running: whether this process may have runs of its own; if not, a run with its number is one of an earlier process.
    """
    if not runs_stay_here(instance):
        return []
    closed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pid = _process_of(instance, run.run_id)
        if pid is None or (is_running if pid == os.getpid() else _is_alive(pid)):
            continue
        last = instance.get_run_by_id(run.run_id)  # it may have ended by itself since
        if last is None or last.status != dg.DagsterRunStatus.STARTED:
            continue
        # First the slots: were this cut off in between, the next look would do both again.
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        instance.report_run_failed(last, f"process {pid} is gone: it was killed")
        closed.append(run.run_id)
    return closed


@contextmanager
def closing_dead_runs(instance: dg.DagsterInstance, every_seconds: float = _EVERY_SECONDS) -> Iterator[None]:
    """While a run of this process waits and works, what dies beside it is closed: it may hold the slot that is waited for."""
    ended = threading.Event()

    def close() -> None:
        while not ended.wait(every_seconds):
            try:
                close_dead_runs(instance, is_running=True)
            except Exception:  # noqa: BLE001 - a database that is busy now answers the next time
                _LOG.warning(
                    "runs of killed processes were not looked for; in %s s again", every_seconds, exc_info=True
                )

    thread = threading.Thread(target=close, name="closing-dead-runs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def runs_stay_here(instance: dg.DagsterInstance) -> bool:
    """Whether the instance launches its runs on this machine: as processes, or, without a configuration, in the one that asks."""
    return isinstance(instance.run_launcher, DefaultRunLauncher | SyncInMemoryRunLauncher)


def _process_of(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The process that executes the run's steps, as its newest event of that kind says; None before the first."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in reversed(records):
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            return int(str(pid.value))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether it ended, and nobody asked how, as in a container whose first process asks nobody; only Linux tells."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return told.rpartition(")")[2].split()[0] == "Z"
