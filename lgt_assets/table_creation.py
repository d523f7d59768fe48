"""Creating Delta tables, once, whose log is kept."""

from collections.abc import Mapping

from arro3.core import Table
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lgt_assets.commit_retries import with_retries
from lgt_assets.errors import StorageError
from lgt_assets.schemas import frame, partition_columns
from lgt_assets.table_locks import creating, is_remote

# By default a commit that makes a checkpoint removes log files older than 30 days, and with them every earlier version, also
# those that a release pins. Only maintenance removes any, below the oldest pinned version.
PROPERTIES = {"delta.enableExpiredLogCleanup": "false"}


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
                DeltaTable.create(
                    uri, schema=Table.from_arrow(frame(table, [])).schema, partition_by=partition_columns(table),
                    configuration=PROPERTIES, storage_options=options,
                )  # fmt: skip
        except (DeltaError, OSError) as error:
            if not (is_remote(root) and _is_there(uri, options)):
                raise StorageError(f"table {table} cannot be created at {uri}: {error}") from error


def _is_there(uri: str, options: dict[str, str] | None) -> bool:
    try:
        return DeltaTable.is_deltatable(uri, storage_options=options)
    except (DeltaError, OSError):
        return False  # and why, the first error says


def keep_log(root: str, delta: DeltaTable) -> None:
    """Set the properties of a table that an earlier version of this package created.

    Raises:
        StorageError: the commit lost every race to other writers.
    """
    if not _is_kept(delta):

        def commit() -> int:
            delta.update_incremental()
            if not _is_kept(delta):  # another was faster
                delta.alter.set_table_properties(PROPERTIES)
            return delta.version()

        with creating(root):
            with_retries(commit, f"properties of {delta.table_uri}")


def _is_kept(delta: DeltaTable) -> bool:
    return PROPERTIES.items() <= delta.metadata().configuration.items()
