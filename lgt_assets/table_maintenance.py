"""Maintenance of the tables: fewer files, a checkpoint, and nothing kept that neither a release nor the last days need.

A version of a Delta table can be read while its data files are there, and its log: a checkpoint at or before it with every later
log file, or all of them from the first. Both are kept from the oldest pinned version on.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from deltalake.exceptions import CommitFailedError, DeltaError

from lgt_assets.errors import StorageError
from lgt_assets.leftover_files import bytes_of, staged_files
from lgt_assets.pinned_versions import files_of_versions, pinned_versions, readable_pins
from lgt_assets.storage import FILE_BYTES, WRITER, DeltaStore
from lgt_assets.table_locks import alone, is_remote

DEFAULT_RETAIN_HOURS = 168
# Tables without slices, that grow by appends, a file each. All others are replaced a slice at a time, whose files are as large as
# they get: compacting them frees nothing, and would give a slice other files, which slice_version takes for other rows.
# Below a URL, where there is no lock, nothing is compacted: with deltalake 1.6.6 two compactions at once double the rows.
APPENDED_TABLES = ("release",)


@dataclass
class Maintained:
    """What maintenance did to a table, or with a dry run would do; ``left_alone`` says why nothing, or not all, was done."""

    table: str
    files_compacted: int = 0
    files_removed: int = 0
    bytes_removed: int = 0
    logs_removed: int = 0
    staged_removed: int = 0
    pinned: list[int] = field(default_factory=list)
    foreign_releases: list[str] = field(default_factory=list)
    left_alone: str = ""


def maintain_table(
    store: DeltaStore, table: str, *, retain_hours: float, dry_run: bool, require_idle: Callable[[], None]
) -> Maintained:
    """Compact ``table`` where that helps, write a checkpoint, remove what is neither pinned nor younger than ``retain_hours``.

    It waits for no writer, and no writer fails by it: a table in writing is left alone, and a writer that comes later waits.
    Below a URL nothing is compacted, no file younger than a week is removed, and bytes and log files are not counted: they are 0.

    Args:
        store: of the table, which exists.
        table: its name.
        retain_hours: how long files stay that the latest version no longer has.
        dry_run: only look.
        require_idle: raises StorageError when runs are active; called before each part.
    """
    done = Maintained(table)
    try:
        require_idle()
        if not dry_run:
            store.create(table)  # sets the properties that keep the log, and keep it short
        with alone(store.root, table):
            if table in APPENDED_TABLES and not is_remote(store.root):
                done.files_compacted = _compact(store, table, dry_run)
            # Runs that begin from here on find the table as it is now: they can pin this version, and none before it.
            version = store.version(table)
            require_idle()
            done.pinned, done.foreign_releases = readable_pins(store, table, pinned_versions(store).get(table, {}))
            _remove_files(store, done, retain_hours, dry_run)
            if not dry_run:
                _clean_log(store, done, min([*done.pinned, version]))
    except StorageError as error:
        done.left_alone = str(error)
    except (DeltaError, OSError) as error:
        done.left_alone = f"table {table}: {error}"
    return done


def _compact(store: DeltaStore, table: str, dry_run: bool) -> int:
    """Make one file of a partition's many; how many files there are fewer (in a dry run: at most would be)."""
    delta = store.open(table)
    if dry_run:
        partitions = max(1, len(delta.partitions()))
        return max(0, len(delta.file_uris()) - partitions)
    try:
        metrics = delta.optimize.compact(target_size=FILE_BYTES, writer_properties=WRITER)
    except CommitFailedError as error:
        raise StorageError(
            f"table {table}: a writer was faster than compaction, which changed nothing: {error}"
        ) from error
    return metrics["numFilesRemoved"] - metrics["numFilesAdded"]


def _remove_files(store: DeltaStore, done: Maintained, retain_hours: float, dry_run: bool) -> None:
    delta, remote = store.open(done.table), is_remote(store.root)
    options = {
        "retention_hours": math.ceil(retain_hours), "full": True, "keep_versions": done.pinned or None,
        "enforce_retention_duration": remote,
    }  # fmt: skip
    unneeded = delta.vacuum(dry_run=True, **options)
    _require_unpinned(done.table, unneeded, files_of_versions(store, done.table, done.pinned))
    staged = [] if remote else staged_files(Path(store.uri(done.table)), retain_hours)
    if not remote:  # deltalake names what is gone already for as long as its log does
        paths = [Path(store.uri(done.table), path) for path in unneeded]
        unneeded = [path for path in paths if path.exists()]
        done.bytes_removed = sum(map(bytes_of, [*unneeded, *staged]))
    done.files_removed, done.staged_removed = len(unneeded), len(staged)
    if not dry_run:
        if unneeded:
            delta.vacuum(dry_run=False, **options)
        for path in staged:
            path.unlink(missing_ok=True)


def _require_unpinned(table: str, removed: Collection[str], pinned: Collection[str]) -> None:
    """Deltalake calls its way of keeping versions experimental: what it would remove is looked at before it does."""
    wrong = sorted(set(removed) & set(pinned))
    if wrong:
        raise StorageError(
            f"table {table}: vacuum would remove {len(wrong)} pinned files, such as {wrong[0]}: nothing is removed"
        )


def _clean_log(store: DeltaStore, done: Maintained, oldest: int) -> None:
    """Remove log files older than 30 days (or what the table is set to), below ``oldest``, the first version that is needed."""
    before = _log_files(store, done.table)
    _ensure_checkpoint(store, done.table, oldest)
    # Opened at that version, deltalake removes nothing from the last checkpoint up to it on.
    store.open(done.table, oldest).cleanup_metadata()
    done.logs_removed = len(before - _log_files(store, done.table))
    _ensure_checkpoint(store, done.table, store.version(done.table))  # last: from here readers begin


def _ensure_checkpoint(store: DeltaStore, table: str, version: int) -> None:
    if not any(name.startswith(f"{version:020d}.checkpoint") for name in _log_files(store, table)):
        store.open(table, version).create_checkpoint()


def _log_files(store: DeltaStore, table: str) -> set[str]:
    """Names of the log's files; none below a URL."""
    return set() if is_remote(store.root) else {path.name for path in Path(store.uri(table), "_delta_log").iterdir()}
