"""Creating Delta tables, once, whose log is kept, and short."""

from collections.abc import Collection, Mapping

from arro3.core import Table
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lgt_assets.commit_retries import with_retries
from lgt_assets.errors import StorageError
from lgt_assets.schemas import frame, partition_columns
from lgt_assets.table_locks import creating, is_remote

# By default a commit that makes a checkpoint removes log files older than 30 days, and with them every earlier version, also
# those that a release pins. Only maintenance removes any, below the oldest pinned version.
KEPT = {"delta.enableExpiredLogCleanup": "false"}
# A slice is found by its partition and is a file or two, too few to pass any over. Least and greatest values of all columns but
# the ordinal were four fifths of a commit's log file, and most of the memory of an open table.
FEW_STATISTICS = {"delta.dataSkippingStatsColumns": "ordinal"}


def properties(columns: Collection[str]) -> dict[str, str]:
    """What a table with these columns is to have; one without ordinals keeps deltalake's statistics."""
    return KEPT | FEW_STATISTICS if "ordinal" in columns else KEPT


def create_table(root: str, table: str, uri: str, storage_options: Mapping[str, str]) -> None:
    """Create ``table`` with the data dictionary's columns, under a lock: racing creators fail. Does nothing where it exists.

    Below a URL, where there is no lock, who loses the race finds the winner's table: both create the same.

    Raises:
        StorageError: the place cannot be written.
    """
    options = dict(storage_options) or None
    with creating(root):
        try:
            if not DeltaTable.is_deltatable(uri, storage_options=options):
                empty = frame(table, [])
                DeltaTable.create(
                    uri, schema=Table.from_arrow(empty).schema, partition_by=partition_columns(table),
                    configuration=properties(empty.columns), storage_options=options,
                )  # fmt: skip
        except (DeltaError, OSError) as error:
            if not (is_remote(root) and _is_there(uri, options)):
                raise StorageError(f"table {table} cannot be created at {uri}: {error}") from error


def _is_there(uri: str, options: dict[str, str] | None) -> bool:
    try:
        return DeltaTable.is_deltatable(uri, storage_options=options)
    except (DeltaError, OSError):
        return False  # and why, the first error says


def keep_properties(root: str, delta: DeltaTable) -> None:
    """Set the properties of a table that an earlier version of this package created.

    Raises:
        StorageError: the commit lost every race to other writers.
    """
    if _missing(delta):

        def commit() -> int:
            delta.update_incremental()
            if missing := _missing(delta):  # else another was faster
                delta.alter.set_table_properties(missing)
            return delta.version()

        with creating(root):
            with_retries(commit, f"properties of {delta.table_uri}")


def _missing(delta: DeltaTable) -> dict[str, str]:
    found = delta.metadata().configuration
    wanted = properties([field.name for field in delta.schema().fields])
    return {name: value for name, value in wanted.items() if found.get(name) != value}
