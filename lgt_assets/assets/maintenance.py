"""Maintenance of all tables: a job and a schedule, which is off by default, and what the command line shares with them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus
from pydantic import Field

from lgt_assets.errors import LgtError, StorageError
from lgt_assets.resources import Tables
from lgt_assets.settings import state_folder
from lgt_assets.storage import DeltaStore
from lgt_assets.table_maintenance import DEFAULT_RETAIN_HOURS, Maintained

ACTIVE = [
    DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING,
]  # fmt: skip
SHOWN_RUNS = 5
ABANDONED_HOURS = 24
COUNTS = ("files_compacted", "files_removed", "bytes_removed", "logs_removed", "staged_removed")


@dataclass
class Maintenance:
    """What was done, or with a dry run would be; folders are of releases that were never finished."""

    tables: list[Maintained] = field(default_factory=list)
    folders_removed: int = 0
    folder_bytes_removed: int = 0

    @property
    def left_alone(self) -> list[str]:
        """Why a table was left alone, or half of what it needs."""
        return [table.left_alone for table in self.tables if table.left_alone]

    def totals(self) -> dict[str, int]:
        """Counts over all tables, and of folders; ``bytes_removed`` has both."""
        counts = {name: sum(getattr(table, name) for table in self.tables) for name in COUNTS}
        counts["bytes_removed"] += self.folder_bytes_removed
        return counts | {"folders_removed": self.folders_removed}


def require_no_runs(instance: dg.DagsterInstance, own_run: str = "", what: str = "maintenance") -> None:
    """Runs read files of versions that are not the latest any more; maintenance would take them away.

    Args:
        instance: where to look for runs.
        own_run: id of the run that asks.
        what: is asked for.

    Raises:
        StorageError: runs are active, or wait in the queue; named.
    """
    runs = [run for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)) if run.run_id != own_run]
    if runs:
        named = ", ".join(_name(run) for run in runs[:SHOWN_RUNS])
        more = f" and {len(runs) - SHOWN_RUNS} more" if len(runs) > SHOWN_RUNS else ""
        raise StorageError(f"no {what} while runs are active: {named}{more}; start it again when they have ended")


def _name(run: dg.DagsterRun) -> str:
    made = ", ".join(sorted(key.to_user_string() for key in run.asset_selection or ()))
    return f"{run.run_id} ({made or run.job_name}: {run.status.value.lower()})"


def maintain(
    instance: dg.DagsterInstance, store: DeltaStore, releases: Path, *, retain_hours: float, dry_run: bool, own_run: str = ""
) -> Maintenance:  # fmt: skip
    """Maintain every table, then remove what killed runs left in the folder of releases.

    A run that begins meanwhile stops what would remove files: tables that are left are named in :attr:`Maintenance.left_alone`.

    Raises:
        StorageError: runs are active at the beginning.
    """
    from lgt_assets.leftover_files import RELEASE_IN_WRITING, abandoned_folders, bytes_of, remove_folder
    from lgt_assets.table_maintenance import maintain_table
    from lgt_assets.table_stats import existing_tables

    def require_idle() -> None:
        require_no_runs(instance, own_run)

    require_idle()
    done = Maintenance()
    for table in existing_tables(store):
        done.tables.append(
            maintain_table(store, table, retain_hours=retain_hours, dry_run=dry_run, require_idle=require_idle)
        )
    for folder in abandoned_folders(releases, RELEASE_IN_WRITING, ABANDONED_HOURS):
        done.folders_removed += 1
        done.folder_bytes_removed += bytes_of(folder)
        if not dry_run:
            remove_folder(folder)
    return done


class MaintenanceConfig(dg.Config):
    """What to keep."""

    retain_hours: float = Field(
        default=DEFAULT_RETAIN_HOURS, ge=0, description="How long files stay that the latest version no longer has."
    )
    dry_run: bool = Field(default=False, description="Only say what would be removed.")


@dg.op(description="Compacts, writes checkpoints, and removes what is neither pinned by a release nor young.")
def maintain_tables(context: dg.OpExecutionContext, config: MaintenanceConfig, tables: Tables) -> None:
    """Run :func:`maintain`; fails when tables were left alone, after the others are done."""
    try:
        done = maintain(
            context.instance, tables.store(), state_folder() / "releases",
            retain_hours=config.retain_hours, dry_run=config.dry_run, own_run=context.run_id,
        )  # fmt: skip
    except LgtError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    metadata = done.totals() | {"tables": dg.MetadataValue.json([asdict(table) for table in done.tables])}
    if done.left_alone:
        raise dg.Failure("; ".join(done.left_alone), metadata=metadata, allow_retries=False)
    context.add_output_metadata(metadata)
    context.log.info(", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in done.totals().items()))


@dg.job(description="Keep the tables small: files that neither a release nor the last week needs are removed.")
def maintenance() -> None:
    """One op: the same as `lgt tables maintain`."""
    maintain_tables()


@dg.schedule(
    job=maintenance, cron_schedule="0 4 * * *", default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Switched on, maintains the tables every night at 4 (UTC), unless runs are active then.",
)  # fmt: skip
def nightly_maintenance(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run a night; none while others are active."""
    try:
        require_no_runs(context.instance)
    except StorageError as error:
        return dg.SkipReason(str(error))
    return dg.RunRequest()
