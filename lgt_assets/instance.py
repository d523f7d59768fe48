"""The persistent Dagster instance below the state folder, and the clean-up after processes that were killed."""

import logging
import os
from pathlib import Path

import dagster as dg
from dagster import DefaultRunLauncher
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster_shared.check import CheckError

from lgt_assets.errors import SettingsError
from lgt_assets.instance_files import put_configuration, wished_instance
from lgt_assets.settings import state_folder


def prepare_environment(chosen: str = "") -> Path:
    """Set LGT_STATE and DAGSTER_HOME for this process and its children; return the latter, ready to be used.

    DAGSTER_HOME is always ``$LGT_STATE/dagster``, whatever it was before: all state lies below one folder. A shipped
    ``dagster.yaml`` is put there when there is none; one that was edited is the user's.

    Args:
        chosen: the instance, by name or path; by default what is there if somebody edited it, else ``$LGT_INSTANCE``, else
            what is there, else `laptop`.

    Raises:
        SettingsError: the folder cannot be written, or holds another configuration than the chosen one, edited.
    """
    state = state_folder()
    home = state / "dagster"
    os.environ["LGT_STATE"] = str(state)
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        put_configuration(home, chosen or wished_instance(home))
    except OSError as error:
        raise SettingsError(
            f"the state folder {state} cannot be written ({error}): set LGT_STATE to one that can"
        ) from error
    return home


def open_instance(chosen: str = "") -> dg.DagsterInstance:
    """The instance at ``$LGT_STATE/dagster``; what dead processes left running is closed first.

    Args:
        chosen: see :func:`prepare_environment`.

    Raises:
        SettingsError: the folder cannot be written, its ``dagster.yaml`` is wrong or wants what is not installed, or the
            database does not answer.
    """
    home = prepare_environment(chosen)
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:
        if isinstance(error, (dg.DagsterError, CheckError)) or _is_of_postgres(error):
            raise SettingsError(f"{home / 'dagster.yaml'}: {error}") from error
        raise
    close_dead_runs(instance)
    return instance


def _is_of_postgres(error: Exception) -> bool:
    """Whether Dagster's library for Postgres raised it, as when the database does not answer; it is in an extra."""
    return type(error).__module__.startswith("dagster_postgres")


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs failed whose process on this machine is gone, and free the pool slots they hold; return their ids.

    A killed run keeps its slot of the pool `gpu` otherwise, and the next run would wait for it without end. Where a cluster runs
    them, their processes are on other machines, and Dagster's run monitoring looks after them.
    """
    if not runs_stay_here(instance):
        return []
    closed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pid = _process_of(instance, run.run_id)
        if pid is not None and not _is_alive(pid):
            instance.report_run_failed(run, f"process {pid} is gone: it was killed")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            closed.append(run.run_id)
    return closed


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
    """Whether another process of this machine has the number: nothing that this one started is looked at."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def quiet_logs() -> None:
    """Leave warnings and worse of Dagster's logs: the command line has its own progress bars."""
    logging.getLogger("dagster").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
