"""Table versions that releases were made of: they stay readable, whole, for as long as the release has a row."""

from collections.abc import Iterable, Mapping

import polars as pl

from lgt_assets.errors import StorageError
from lgt_assets.storage import DeltaStore

Pins = Mapping[int, list[str]]


def pinned_versions(store: DeltaStore) -> dict[str, dict[int, list[str]]]:
    """Releases by table and by the version of it that they pin, as the rows of ``release`` say."""
    found: dict[str, dict[int, list[str]]] = {}
    # Two columns only: a table of releases that an earlier version of this package wrote still pins what it names.
    # After a takedown a release's versions are not whole any more: nothing is kept for it.
    given_up = set(store.scan("takedowns").select(pl.col("releases").explode()).collect()["releases"])
    for row in store.scan("release").select("release_id", "inputs").collect().iter_rows(named=True):
        if row["release_id"] in given_up:
            continue
        for one in row["inputs"]:
            found.setdefault(one["table"], {}).setdefault(one["version"], []).append(row["release_id"])
    return {table: dict(sorted(versions.items())) for table, versions in found.items()}


def readable_pins(store: DeltaStore, table: str, pins: Pins) -> tuple[list[int], list[str]]:
    """Versions to keep, ascending, and the releases whose version this table never had: it was moved away and made anew.

    Raises:
        StorageError: the table had a pinned version that cannot be read: a person must look before anything is removed.
    """
    latest, kept, foreign = store.version(table), [], []
    for version in sorted(pins):
        if version > latest:
            foreign += pins[version]
            continue
        try:
            store.open(table, version)
        except StorageError as error:
            raise StorageError(
                f"{error}; release {', '.join(pins[version])} pins it: put the log's files back, or remove the release's row"
            ) from error
        kept.append(version)
    return kept, foreign


def files_of_versions(store: DeltaStore, table: str, versions: Iterable[int]) -> set[str]:
    """Data files of these versions, relative to the table."""
    opened = (store.open(table, version) for version in versions)
    return {path for delta in opened for path in pl.DataFrame(delta.get_add_actions(flatten=True))["path"]}
