"""The persistent Dagster instance below the state folder, and the clean-up after processes that were killed."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import dagster as dg

from lgt_assets.errors import SettingsError
from lgt_assets.settings import state_folder

SHIPPED_CONFIGURATION = Path(__file__).parent / "dagster.yaml"


def prepare_environment() -> Path:
    """Set LGT_STATE and DAGSTER_HOME for this process and its children; return the latter, ready to be used.

    DAGSTER_HOME is always ``$LGT_STATE/dagster``, whatever it was before: all state lies below one folder. The shipped
    ``dagster.yaml`` is put there when there is none; one that is there is the user's.

    Raises:
        SettingsError: the folder cannot be written.
    """
    state = state_folder()
    home = state / "dagster"
    os.environ["LGT_STATE"] = str(state)
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            handle, temporary = tempfile.mkstemp(dir=home)
            os.close(handle)
            shutil.copyfile(SHIPPED_CONFIGURATION, temporary)
            os.replace(temporary, home / "dagster.yaml")
    except OSError as error:
        raise SettingsError(
            f"the state folder {state} cannot be written ({error}): set LGT_STATE to one that can"
        ) from error
    return home


def open_instance() -> dg.DagsterInstance:
    """The instance at ``$LGT_STATE/dagster``; what dead processes left running is closed first.

    Raises:
        SettingsError: the folder cannot be written, or its ``dagster.yaml`` is wrong.
    """
    home = prepare_environment()
    try:
        instance = dg.DagsterInstance.get()
    except dg.DagsterError as error:
        raise SettingsError(f"{home / 'dagster.yaml'}: {error}") from error
    close_dead_runs(instance)
    return instance


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs failed whose process on this machine is gone, and free the pool slots they hold; return their ids.

    A killed run keeps its slot of the pool `gpu` otherwise, and the next run would wait for it without end.
    """
    closed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pid = _process_of(instance, run.run_id)
        if pid is not None and not _is_alive(pid):
            instance.report_run_failed(run, f"process {pid} is gone: it was killed")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            closed.append(run.run_id)
    return closed


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
