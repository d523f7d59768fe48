"""What a release pins stays readable, whole, whatever was written since; what nobody needs goes."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from benchmarks.concurrency import commits_of, newest_commits, rows_of, run_writers
from lgt_assets.errors import StorageError
from lgt_assets.pinned_versions import files_of_versions, pinned_versions
from lgt_assets.schemas import frame, partition_columns
from lgt_assets.storage import DeltaStore
from lgt_assets.table_creation import FEW_STATISTICS, KEPT
from lgt_assets.table_locks import alone, writing
from lgt_assets.table_maintenance import Maintained, maintain_table
from lgt_assets_tests.object_stores import objects_below
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


def test_tables_of_an_earlier_version_get_the_properties_once(store: DeltaStore) -> None:
    frame("images", []).write_delta(
        store.uri("images"), delta_write_options={"partition_by": partition_columns("images")}
    )
    wanted = (KEPT | FEW_STATISTICS).items()
    assert not wanted & store.open("images").metadata().configuration.items()
    version = write(store, 0)
    assert wanted <= store.open("images").metadata().configuration.items()
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


class Overtaken(DeltaStore):
    """A writer on another machine, where our lock does not count, is faster than compaction."""

    def create(self, table: str) -> None:
        """It exists."""

    def open(self, table: str, version: int | None = None) -> DeltaTable:
        delta = super().open(table, version)
        if table == "release" and len(delta.file_uris()) > 3:
            DeltaTable(self.uri(table)).delete("release_id = 'release 0'")
        return delta


def test_compaction_that_a_writer_overtakes_loses_and_breaks_nothing(store: DeltaStore) -> None:
    for number in range(4):
        pin(store, f"release {number}", 0)
    done = maintain(Overtaken(store.root), "release")
    assert "a writer was faster than compaction" in done.left_alone and done.files_removed == 0
    assert sorted(store.read("release")["release_id"]) == ["release 1", "release 2", "release 3"]
    assert not maintain(store, "release").left_alone
    assert sorted(store.read("release")["release_id"]) == ["release 1", "release 2", "release 3"]


def test_two_compactions_at_once_double_the_rows_so_one_waits_its_turn(store: DeltaStore) -> None:
    """When deltalake no longer doubles them, tables below a URL may be compacted, too."""
    for number in range(4):
        pin(store, f"release {number}", 0)
    with alone(store.root, "release"):
        assert "is being written" in maintain(store, "release").left_alone
        handles = [store.open("release") for _ in range(2)]
        for delta in handles:
            delta.optimize.compact()
    assert store.read("release").height == 8


def test_maintenance_amid_a_write_leaves_the_table_alone(store: DeltaStore) -> None:
    versions, amid = [write(store, turn) for turn in range(2)], []
    rows = frame("images", [image_row(number, shard=SHARDS[0], caption="Later.") for number in range(3)])

    def batches() -> Iterator[pl.DataFrame]:
        yield rows
        thread = threading.Thread(target=lambda: amid.append(maintain(store).left_alone))  # this one is deltalake's own
        thread.start()
        thread.join()

    store.replace("images", batches, shard=SHARDS[0])
    assert "is being written" in amid[-1]  # the passes before only look at the rows
    assert not is_readable(store, versions[0]) and is_readable(store, versions[1])
    assert store.read("images").equals(rows)


def test_writers_go_on_while_maintenance_removes_all_it_can(store: DeltaStore) -> None:
    """It waits for no writer, and removes no data file that one is about to commit."""
    stop, outcomes = threading.Event(), []

    def keep_maintaining() -> None:
        while not stop.is_set():
            if store.exists("images"):
                outcomes.append(maintain(store))

    thread = threading.Thread(target=keep_maintaining)
    thread.start()
    reports, _seconds = run_writers(store.root, writers=2, commits=15)
    stop.set()
    thread.join()
    assert [report.failures for report in reports] == [[], []]
    assert len(list(commits_of(store.root))) == 30
    assert sum(done.files_removed for done in outcomes) > 0
    for shard, (writer, turn) in newest_commits(store.root).items():
        assert store.read("images", shards=[shard]).equals(rows_of(writer, turn))


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


def test_below_a_url_maintenance_keeps_what_is_pinned_and_what_is_young(bucket_root: str) -> None:
    store = DeltaStore(bucket_root)
    versions = [write(store, turn, shard) for turn in range(3) for shard in SHARDS]
    pin(store, "one", versions[2])
    rows = {version: store.read("images", version=version) for version in versions}
    objects = objects_below(bucket_root)
    promised = maintain(store, hours=168, dry_run=True)
    assert not promised.left_alone and objects_below(bucket_root) == objects
    for table in ("images", "release"):
        done = maintain(store, table, hours=168)
        assert not done.left_alone and done.files_removed == 0
    assert objects.keys() < objects_below(bucket_root).keys()  # checkpoints came, nothing went
    assert all(store.read("images", version=version).equals(rows[version]) for version in versions)
    assert "168 hours" in maintain(store, hours=1).left_alone  # nobody there tells what a writer is about to commit
    assert store.read("images", version=versions[0]).equals(rows[versions[0]])
