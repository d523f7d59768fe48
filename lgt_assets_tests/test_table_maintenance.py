"""What a release pins stays readable, whole, whatever was written since; what nobody needs goes."""

import os
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lgt_assets.errors import StorageError
from lgt_assets.pinned_versions import files_of_versions, pinned_versions
from lgt_assets.schemas import frame, partition_columns
from lgt_assets.storage import DeltaStore
from lgt_assets.table_creation import PROPERTIES
from lgt_assets.table_locks import writing
from lgt_assets.table_maintenance import Maintained, maintain_table
from lgt_assets_tests.rows import image_row

SHARDS = ("a-00000", "a-00001")
YEAR = 365 * 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(str(tmp_path / "tables"))


def write(store: DeltaStore, turn: int, shard: str = SHARDS[0]) -> int:
    """Replace a shard by three rows that name the turn."""
    rows = [image_row(number, shard=shard, caption=f"Turn {turn}.") for number in range(3)]
    return store.replace("images", frame("images", rows), shard=shard)


def pin(store: DeltaStore, release_id: str, version: int, table: str = "images") -> None:
    """Add a row of ``release`` as the asset does."""
    row = {"release_id": release_id, "uri": "/nowhere", "code_version": "1", "files": [], "excluded": []}
    store.append("release", frame("release", [row | {"inputs": [{"table": table, "version": version}]}]))


def idle() -> None:
    """No run is active."""


def maintain(store: DeltaStore, table: str = "images", *, hours: float = 0, dry_run: bool = False) -> Maintained:
    return maintain_table(store, table, retain_hours=hours, dry_run=dry_run, require_idle=idle)


def log(store: DeltaStore, table: str = "images") -> Path:
    return Path(store.uri(table)) / "_delta_log"


def let_a_year_pass(folder: Path) -> None:
    """Set back the times by which deltalake judges log files."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - YEAR,) * 2)


def is_readable(store: DeltaStore, version: int, table: str = "images") -> bool:
    """Whether every row of the version can be read."""
    try:
        store.read(table, version=version)
    except (OSError, DeltaError) as error:
        assert "No such file" in str(error) or "No files in log segment" in str(error)
        return False
    return True


def test_a_pinned_version_outlives_a_year_of_writing_and_maintenance(store: DeltaStore) -> None:
    versions = [write(store, turn, shard) for turn in range(6) for shard in SHARDS]
    first, second = versions[4], versions[8]
    wanted = {version: store.read("images", version=version) for version in (first, second)}
    pin(store, "one", first)
    pin(store, "two", second)
    for turn in range(
        6, 51
    ):  # past the hundredth commit, of which deltalake makes a checkpoint and, by default, cleans up
        if turn == 48:
            let_a_year_pass(log(store))
        versions += [write(store, turn, shard) for shard in SHARDS]
    assert any("checkpoint" in path.name for path in log(store).iterdir())
    latest = store.read("images")
    for _ in range(2):
        let_a_year_pass(Path(store.root))
        for table in ("images", "release"):
            done = maintain(store, table)
            assert not done.left_alone
    assert {version: store.read("images", version=version).equals(rows) for version, rows in wanted.items()} == {
        first: True,
        second: True,
    }
    assert store.read("images").equals(latest)
    kept = [version for version in versions if is_readable(store, version)]
    assert kept == [first, second, versions[-1]]
    assert store.open("images", first).version() == first
    assert pinned_versions(store) == {"images": {first: ["one"], second: ["two"]}}
    assert min(path.name for path in log(store).glob("*.json")) == f"{first:020d}.json"
    write(store, 99)
    assert store.read("images", version=first).equals(wanted[first])


def test_without_the_property_deltalake_itself_makes_a_pinned_version_unreadable(store: DeltaStore) -> None:
    """What the property is for; when deltalake no longer does so, it may go."""
    frame("images", []).write_delta(
        store.uri("images"), delta_write_options={"partition_by": partition_columns("images")}
    )
    rows = frame("images", [image_row(0, shard=SHARDS[0])])
    for _ in range(101):
        rows.write_delta(store.uri("images"), mode="overwrite")
        if store.version("images") == 98:
            let_a_year_pass(log(store))
    assert not is_readable(store, 50)


def test_tables_of_an_earlier_version_get_the_property_once(store: DeltaStore) -> None:
    frame("images", []).write_delta(
        store.uri("images"), delta_write_options={"partition_by": partition_columns("images")}
    )
    assert not PROPERTIES.items() <= store.open("images").metadata().configuration.items()
    version = write(store, 0)
    assert PROPERTIES.items() <= store.open("images").metadata().configuration.items()
    assert write(store, 1) == version + 1
    assert [entry["operation"] for entry in store.open("images").history()].count("SET TBLPROPERTIES") == 1


def test_files_younger_than_is_asked_for_stay(store: DeltaStore) -> None:
    versions = [write(store, turn) for turn in range(3)]
    done = maintain(store, hours=1)
    assert (done.files_removed, done.bytes_removed) == (0, 0)
    assert all(is_readable(store, version) for version in versions)


def test_a_dry_run_says_the_same_and_changes_nothing(store: DeltaStore) -> None:
    for turn in range(3):
        write(store, turn)
    before = {path: path.stat().st_mtime_ns for path in Path(store.uri("images")).rglob("*")}
    promised = maintain(store, dry_run=True)
    assert {path: path.stat().st_mtime_ns for path in Path(store.uri("images")).rglob("*")} == before
    done = maintain(store)
    assert (done.files_removed, done.bytes_removed) == (promised.files_removed, promised.bytes_removed)
    assert promised.files_removed == 2 and promised.bytes_removed > 0
    again = maintain(store)
    assert (again.files_removed, again.bytes_removed, again.logs_removed) == (0, 0, 0)


def test_the_slice_s_version_stays_so_nothing_seems_to_have_changed(store: DeltaStore) -> None:
    """A shard's data version is made of it: were it another, all that is made of the shard would be stale."""
    for turn in range(3):
        write(store, turn)
    before, version = store.slice_version("images", SHARDS[0]), store.read("images")
    maintain(store)
    assert store.slice_version("images", SHARDS[0]) == before
    assert store.replace("images", version, shard=SHARDS[0]) == store.version("images")
    assert store.slice_version("images", SHARDS[0]) == before


def test_a_slice_of_many_batches_has_few_files_without_compaction(store: DeltaStore) -> None:
    rows = frame("images", [image_row(number, shard=SHARDS[0]) for number in range(2000)])
    store.replace("images", lambda: iter(rows.iter_slices(100)), shard=SHARDS[0])
    assert len(store.open("images").file_uris()) == 1


def test_what_grew_by_appends_is_compacted(store: DeltaStore) -> None:
    for number in range(4):
        pin(store, f"release {number}", 0)
    before = store.read("release").sort("release_id")
    done = maintain(store, "release")
    assert (done.files_compacted, done.files_removed) == (3, 4)
    assert len(store.open("release").file_uris()) == 1
    assert store.read("release").sort("release_id").equals(before)


def test_a_table_in_writing_is_left_alone(store: DeltaStore) -> None:
    versions = [write(store, turn) for turn in range(2)]
    with writing(store.root, "images"):
        done = maintain(store)
    assert "is being written" in done.left_alone
    assert all(is_readable(store, version) for version in versions)
    assert maintain(store).files_removed == 1


def test_a_run_that_begins_meanwhile_stops_what_would_remove_files(store: DeltaStore) -> None:
    versions = [write(store, turn) for turn in range(2)]
    calls = []

    def require_idle() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise StorageError("run r1 is active")

    done = maintain_table(store, "images", retain_hours=0, dry_run=False, require_idle=require_idle)
    assert done.left_alone == "run r1 is active"
    assert all(is_readable(store, version) for version in versions)


def test_a_pinned_version_that_is_lost_already_keeps_the_table_as_it_is(store: DeltaStore) -> None:
    versions = [write(store, turn) for turn in range(3)]
    pin(store, "one", versions[0])
    store.open("images").create_checkpoint()
    for version in (0, versions[0]):
        (log(store) / f"{version:020d}.json").unlink()
    done = maintain(store)
    assert "version 1" in done.left_alone and "release one pins it" in done.left_alone
    assert done.files_removed == 0


def test_a_table_made_anew_forgets_versions_it_never_had(store: DeltaStore) -> None:
    for turn in range(3):
        write(store, turn)
    pin(store, "of the old table", 40)
    done = maintain(store)
    assert (done.foreign_releases, done.pinned, done.files_removed) == (["of the old table"], [], 2)


def test_files_that_a_killed_writer_left_are_swept_when_they_are_old(store: DeltaStore) -> None:
    write(store, 0)
    folder = Path(store.uri("images")) / f"shard={SHARDS[0]}"
    staged, orphan = folder / "part-1.parquet#1", folder / "part-2.parquet"
    for path in (staged, orphan):
        path.write_bytes(b"half")
    assert maintain(store, hours=1).staged_removed == 0 and staged.exists() and orphan.exists()
    let_a_year_pass(folder)
    done = maintain(store, hours=1)
    assert (done.staged_removed, done.files_removed, done.bytes_removed) == (1, 1, 8)
    assert not staged.exists() and not orphan.exists()
    assert store.read("images").height == 3


def test_files_of_pinned_versions_are_named_relative_to_the_table(store: DeltaStore) -> None:
    """As vacuum names what it removes: both are compared before anything goes."""
    version = write(store, 0)
    write(store, 1)
    pinned = files_of_versions(store, "images", [version])
    removed = DeltaTable(store.uri("images")).vacuum(0, dry_run=True, enforce_retention_duration=False, full=True)
    assert pinned == set(removed)
