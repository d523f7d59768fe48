"""The persistent Dagster instance below the state folder."""

import logging
import os
from pathlib import Path

import dagster as dg
from dagster_shared.check import CheckError

from lgt_assets.dead_runs import close_dead_runs
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


def quiet_logs() -> None:
    """Leave warnings and worse of Dagster's logs: the command line has its own progress bars."""
    logging.getLogger("dagster").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
