"""Tables stay open, and no reader of one misses what another process, or another thread, did to it meanwhile."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from deltalake.exceptions import DeltaError

from lgt_assets import table_handles
from lgt_assets.errors import StorageError
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.table_maintenance import maintain_table
from lgt_assets.takedown.history import remove_history
from lgt_assets_tests.rows import image_row

SHARD = "a-00000"
ELSEWHERE = """
import sys
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.test_table_handles import write
for turn in range(int(sys.argv[2]), int(sys.argv[3])):
    write(DeltaStore(sys.argv[1]), turn)
"""


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(str(tmp_path / "tables"))


def write(store: DeltaStore, turn: int, shard: str = SHARD) -> int:
    """Replace a shard by two rows that name the turn."""
    rows = [image_row(number, shard=shard, caption=f"Turn {turn}.") for number in range(2)]
    return store.replace("images", frame("images", rows), shard=shard)


def write_elsewhere(store: DeltaStore, first: int, last: int) -> None:
    """The same for several turns, in a process of its own."""
    command = [sys.executable, "-c", ELSEWHERE, store.root, str(first), str(last)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])


def write_in_thread(store: DeltaStore, first: int, last: int) -> None:
    """The same in a thread, whose tables are as strange to this one's as another process's, and cheaper."""
    thread = threading.Thread(target=lambda: [write(store, turn) for turn in range(first, last)])
    thread.start()
    thread.join()


def captions(store: DeltaStore, shard: str = SHARD) -> list[str]:
    return store.read("images", shards=[shard])["caption"].unique().to_list()


def maintain(store: DeltaStore) -> None:
    done = maintain_table(store, "images", retain_hours=0, dry_run=False, require_idle=lambda: None)
    assert not done.left_alone and done.files_removed


def latest(store: DeltaStore) -> table_handles.Handle:
    return table_handles.latest(store.uri("images"), {})


def test_a_table_is_opened_once_and_follows_its_own_commits(store: DeltaStore) -> None:
    write(store, 0)
    handle = latest(store)
    assert write(store, 1) == 2 and captions(store) == ["Turn 1."]
    assert latest(store) is handle and handle.delta.version() == 2 and handle.is_checked


def test_what_another_process_commits_is_seen_at_once(store: DeltaStore) -> None:
    write(store, 0)
    handle, before = latest(store), store.slice_version("images", SHARD)
    write_elsewhere(store, 1, 4)
    assert captions(store) == ["Turn 3."] and store.version("images") == 4
    assert latest(store) is handle
    assert store.slice_version("images", SHARD) != before
    assert write(store, 4) == 5 and captions(store) == ["Turn 4."]


def test_what_others_do_past_a_checkpoint_and_maintenance_is_seen(store: DeltaStore) -> None:
    write(store, 0)
    latest(store)
    write_in_thread(store, 1, 103)  # of the hundredth commit deltalake makes a checkpoint
    maintainer = threading.Thread(target=lambda: maintain(store))
    maintainer.start()
    maintainer.join()
    assert captions(store) == ["Turn 102."]
    version = store.version("images")
    assert version == store.open("images").version() > 103  # vacuum commits, too
    assert write(store, 103) == version + 1


def test_a_kept_table_reads_on_after_maintenance_and_takedown_of_its_history(store: DeltaStore) -> None:
    for turn in range(3):
        write(store, turn)
        write(store, turn, "a-00001")
    latest(store)
    assert remove_history(store, "images", [SHARD]) == 2
    assert captions(store) == ["Turn 2."]
    maintain(store)
    assert captions(store) == ["Turn 2."] and captions(store, "a-00001") == ["Turn 2."]
    with pytest.raises(FileNotFoundError):
        store.read("images", shards=[SHARD], version=1)
    assert write(store, 3) == store.open("images").version() and captions(store) == ["Turn 3."]


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_table_made_anew_in_the_same_place_is_another_one(store: DeltaStore, commits: int) -> None:
    for turn in range(2):
        write(store, turn)
    handle = latest(store)
    shutil.rmtree(store.uri("images"))
    write_in_thread(store, 10, 10 + commits)  # with as many versions as the old one had, fewer, or more
    assert latest(store) is not handle
    assert captions(store) == [f"Turn {9 + commits}."] and store.version("images") == commits
    assert write(store, 20) == commits + 1


def test_a_table_that_was_moved_away_is_gone(store: DeltaStore) -> None:
    write(store, 0)
    latest(store)
    shutil.rmtree(store.uri("images"))
    assert (
        not store.exists("images") and store.read("images", shards=[SHARD]).height == 0 and store.shards("images") == []
    )
    with pytest.raises(StorageError, match="does not exist yet"):
        store.version("images")
    assert write(store, 1) == 1


def test_a_table_of_other_columns_in_its_place_is_refused(store: DeltaStore) -> None:
    write(store, 0)
    shutil.rmtree(store.uri("images"))
    frame("funnel", []).write_delta(store.uri("images"))
    with pytest.raises(StorageError, match="another version of lgt_assets"):
        write(store, 1)


def test_each_thread_keeps_its_own_and_none_misses_the_others_commits(store: DeltaStore) -> None:
    write(store, 0)
    handles, failures = {0: latest(store)}, []

    def commit(number: int) -> None:
        try:
            for turn in range(6):
                write(store, turn, f"t{number}-00000")
                assert captions(store, f"t{number}-00000") == [f"Turn {turn}."]
            handles[number] = latest(store)
        except (AssertionError, StorageError) as error:
            failures.append(error)

    threads = [threading.Thread(target=commit, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len({id(handle) for handle in handles.values()}) == 4
    assert store.version("images") == 19 and len(store.shards("images")) == 4


def test_a_table_of_many_pieces_is_opened_anew_and_stays_checked(store: DeltaStore) -> None:
    write(store, 0)
    handle = latest(store)
    for turn in range(1, table_handles.PIECES):
        write(store, turn)
    again = latest(store)
    assert again is not handle and again.is_checked and again.opened == table_handles.PIECES
    assert latest(store) is again and captions(store) == [f"Turn {table_handles.PIECES - 1}."]


def test_an_update_that_fails_is_not_kept(store: DeltaStore) -> None:
    write(store, 0)
    latest(store)
    broken = Path(store.uri("images"), "_delta_log", f"{2:020d}.json")
    broken.write_text("no action")
    with pytest.raises(DeltaError):
        latest(store)
    assert not table_handles.is_known(store.uri("images"))
    broken.unlink()
    assert write(store, 1) == 2


def test_an_earlier_version_is_read_beside_the_kept_one(store: DeltaStore) -> None:
    first = write(store, 0)
    write(store, 1)
    assert store.read("images", shards=[SHARD], version=first)["caption"].unique().to_list() == ["Turn 0."]
    assert captions(store) == ["Turn 1."] and latest(store).delta.version() == 2


def test_below_a_url_every_look_is_a_new_one(bucket_root: str) -> None:
    store = DeltaStore(bucket_root)
    write(store, 0)
    assert latest(store) is not latest(store) and not table_handles.is_known(store.uri("images"))
    write_elsewhere(store, 1, 2)
    assert captions(store) == ["Turn 1."] and store.version("images") == 2
