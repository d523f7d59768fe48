"""Completions that machines share, on two real S3 servers: what one paid for, every other finds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.cli import main
from lgt_assets.engines import response_store, store_garbage, store_maintenance, stored_files
from lgt_assets.engines.base import request_key
from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY
from lgt_assets.engines.shared_chunks import SharedChunks
from lgt_assets.errors import StorageError
from lgt_assets.object_store import ObjectStore
from lgt_assets.state import responses_folder
from lgt_assets_tests.dagit import wait_until
from lgt_assets_tests.engines.requests import request
from lgt_assets_tests.engines.test_response_store import SHARD, put, rows
from lgt_assets_tests.object_stores import free_ports, objects_below, reach


@pytest.fixture
def shared(bucket_root: str) -> SharedChunks:
    return SharedChunks(ObjectStore(bucket_root), 10**9)


def opened(machine: Path, shared: SharedChunks, shard: str = SHARD) -> ResponseStore:
    return ResponseStore(machine, shard, shared=shared)


def chunks(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("chunk-*")}


def nobody(frame: pl.DataFrame) -> pl.Series:
    return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)


def test_what_one_machine_stored_another_finds(tmp_path: Path, shared: SharedChunks) -> None:
    with opened(tmp_path / "a", shared) as store:
        keys = [put(store, request(f"question {number}"), f"answer {number}") for number in range(20)]
    there = objects_below(shared.store.root)
    assert {name.rpartition("/")[0] for name in there} == {f"responses/{SHARD}"} and shared.shards() == [SHARD]
    with opened(tmp_path / "b", shared) as other:
        assert [other[key].text for key in keys] == [f"answer {number}" for number in range(20)]
        found = rows(other)
        new = put(other, request("of b"))
    assert len(objects_below(shared.store.root)) == len(there) + 1
    with opened(tmp_path / "a", shared) as store:
        assert new in store and len(store) == 21
        assert [row for row in rows(store) if row["request_key"] != new] == found
    for machine in ("a", "b"):
        assert store_maintenance.verify(tmp_path / machine, SHARD, shared) == []


def test_journals_are_shared_while_the_run_goes_on(
    tmp_path: Path, shared: SharedChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_store, "SHARE_SECONDS", 0.05)
    with opened(tmp_path / "a", shared) as store:
        for number in range(2):
            key = put(store, request(f"question {number}"))

            def elsewhere(key: str = key) -> bool:
                with opened(tmp_path / "b", shared) as other:
                    return key in other

            wait_until(elsewhere, 60, "the other machine finds it")
            assert store[key].text == "yes"
    assert len(objects_below(shared.store.root)) == 2


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from lgt_assets.engines import response_store
    from lgt_assets.engines.shared_chunks import SharedChunks
    from lgt_assets.object_store import ObjectStore
    from lgt_assets_tests.engines.requests import request
    from lgt_assets_tests.engines.test_response_store import put
    response_store.SHARE_SECONDS = 0.02
    store = response_store.ResponseStore(
        Path(sys.argv[1]), "scenes-00000", shared=SharedChunks(ObjectStore(sys.argv[2]), 10**9)
    )
    number = 0
    while True:
        put(store, request(f"question {number}"), f"answer {number}" * 50)
        print(number, flush=True)
        number += 1
""")


def test_a_killed_writer_leaves_whole_objects_and_loses_nothing(tmp_path: Path, shared: SharedChunks) -> None:
    machine = tmp_path / "a"
    command = [sys.executable, "-c", WRITER, str(machine), shared.store.root]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(300)]
    wait_until(lambda: len(shared.sizes(SHARD)) > 2, 60, "it shares")  # until then its pipe holds it up, or not
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines() if line.isdigit()]
    process.wait()
    keys = [request_key(SCRIPTED_IDENTITY, request(f"question {number}")) for number in acknowledged]
    assert store_maintenance.verify(tmp_path / "b", SHARD, shared) == []  # if its disk is lost: what there is, is whole
    with opened(tmp_path / "b", shared) as other:
        assert 0 < len(other) <= len(keys) + 1
    with opened(machine, shared) as again:  # the same machine: its journal is there
        assert [again[key].text for key in keys] == [f"answer {number}" * 50 for number in acknowledged]
    left = [path for path in machine.joinpath(SHARD).iterdir() if not path.name.startswith(PARTIAL_PREFIX)]
    assert {path.suffix for path in left} == {".parquet"}
    with opened(tmp_path / "b", shared) as other:
        assert all(key in other for key in keys)
    assert store_maintenance.verify(machine, SHARD, shared) == []


def test_a_writer_killed_between_putting_and_naming_puts_the_same_object(tmp_path: Path, shared: SharedChunks) -> None:
    store = opened(tmp_path / "a", shared)
    key = put(store, request())
    (journal,) = (tmp_path / "a" / SHARD).glob("journal-*")
    content = journal.read_bytes()
    store.close()
    there = objects_below(shared.store.root)
    (chunk,) = (tmp_path / "a" / SHARD).glob("chunk-*")
    chunk.unlink()
    journal.write_bytes(content)
    with opened(tmp_path / "a", shared) as again:
        shared.store.remove(there)  # what lies there after this was put again
        assert key in again and len(rows(again)) == 1
    assert objects_below(shared.store.root) == there


def test_a_store_that_does_not_answer_stops_no_run_and_loses_nothing(
    tmp_path: Path, shared: SharedChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(response_store, "SHARE_SECONDS", 0.05)
    monkeypatch.setattr("lgt_assets.object_store.RETRIES", {"max_retries": 0})
    endpoint, store = os.environ["AWS_ENDPOINT_URL"], opened(tmp_path / "a", shared)
    reach(f"http://127.0.0.1:{free_ports(1)[0]}", monkeypatch)
    keys = [put(store, request("one"))]
    wait_until(lambda: "stay on this machine alone" in caplog.text, 60, "it warns")
    keys.append(put(store, request("two")))
    with pytest.raises(StorageError, match="cannot be written"):
        store.close()
    with pytest.raises(StorageError, match="cannot be listed"):  # what others paid for is not known: nothing is asked
        opened(tmp_path / "a", shared)
    reach(endpoint, monkeypatch)
    assert objects_below(shared.store.root) == {}
    opened(tmp_path / "a", shared).close()
    with opened(tmp_path / "b", shared) as other:
        assert all(key in other for key in keys)


def test_gc_removes_what_nobody_needs_there_and_from_every_machine(tmp_path: Path, shared: SharedChunks) -> None:
    with opened(tmp_path / "a", shared) as store:
        kept, gone = (put(store, request(text), text) for text in ("kept", "gone"))
    with opened(tmp_path / "b", shared) as other:
        assert gone in other
    old = chunks(tmp_path / "b" / SHARD)

    def needed(frame: pl.DataFrame) -> pl.Series:
        return frame["request_key"] == kept

    found = store_garbage.find_garbage(tmp_path / "c", SHARD, needed, shared)
    assert (found.completions, found.in_use, shared.sizes(SHARD).keys()) == (1, False, old)
    with opened(tmp_path / "a", shared), pytest.raises(StorageError, match="in use"):
        store_garbage.remove_garbage(tmp_path / "a", SHARD, needed, shared)
    assert store_garbage.remove_garbage(tmp_path / "a", SHARD, needed, shared).completions == 1
    assert shared.sizes(SHARD).keys() == chunks(tmp_path / "a" / SHARD) and not shared.sizes(SHARD).keys() & old
    with opened(tmp_path / "b", shared) as other:
        assert kept in other and gone not in other
    assert not chunks(tmp_path / "b" / SHARD) & old
    store_garbage.remove_garbage(tmp_path / "b", SHARD, nobody, shared)
    assert objects_below(shared.store.root) == {} and not shared.holds(tmp_path / "b" / SHARD)


def test_objects_that_are_damaged_or_foreign_are_named_and_copies_are_mended(
    tmp_path: Path, shared: SharedChunks, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path / "a", shared) as store:
        key = put(store, request())
    (copy,) = (tmp_path / "a" / SHARD).glob("chunk-*")
    name, whole = copy.name, copy.read_bytes()
    copy.write_bytes(bytes(len(whole)))
    with opened(tmp_path / "a", shared) as store:
        assert key in store
    assert copy.read_bytes() == whole
    shared.store.write(f"responses/{SHARD}/notes.txt", b"mine")
    shared.store.write(f"responses/{SHARD}/{name}", whole[:-9])
    problems = store_maintenance.verify(tmp_path / "b", SHARD, shared)
    assert any(f"{shared.address(SHARD, 'notes.txt')}: is no object" in problem for problem in problems)
    assert any(f"{shared.address(SHARD, name)}: cannot be read" in problem for problem in problems)
    with opened(tmp_path / "a", shared) as store:  # its good copy is not given up for a torn object
        assert key in store and f"the copy in {copy.parent} stays as it is" in caplog.text
    assert copy.read_bytes() == whole
    with opened(tmp_path / "b", shared) as store:
        assert key not in store and "cannot be read and is skipped" in caplog.text
        put(store, request())  # asked again: the same name, whole
    assert [problem for problem in store_maintenance.verify(tmp_path / "b", SHARD, shared) if name in problem] == []
    changed = stored_files.read_chunk(copy).with_columns(seed=pl.lit(7, pl.Int64))
    changed.write_parquet(tmp_path / "changed")
    shared.store.write(f"responses/{SHARD}/{name}", (tmp_path / "changed").read_bytes())
    assert any("it was changed" in problem for problem in store_maintenance.verify(tmp_path / "c", SHARD, shared))


def test_copies_of_shards_unused_for_longest_make_room(tmp_path: Path, shared: SharedChunks) -> None:
    shards = [f"scenes-{number:05d}" for number in range(4)]
    for shard in shards:
        with opened(tmp_path / "a", shared, shard) as store:
            put(store, request(shard), os.urandom(5000).hex())
    size = max(shared.sizes(shards[0]).values())
    small, machine = SharedChunks(shared.store, int(size * 2.5)), tmp_path / "b"
    for number, shard in enumerate(shards[:2]):
        opened(machine, small, shard).close()
        os.utime(machine / shard, (number, number))
    with opened(machine, small, shards[1]):  # in use, and used last
        os.utime(machine / shards[1], (0, 0))
        (machine / shards[0] / "journal-mine").write_bytes(b"")
        opened(machine, small, shards[2]).close()
        assert [len(chunks(machine / shard)) for shard in shards[:3]] == [0, 1, 1]
        assert (machine / shards[0] / "journal-mine").exists()
    opened(machine, small, shards[3]).close()
    assert [len(chunks(machine / shard)) for shard in shards] == [0, 0, 1, 1]
    with opened(machine, small, shards[0]) as store:
        assert len(store) == 1  # copied again


def test_a_machine_that_only_writes_keeps_its_copies_within_the_bound(tmp_path: Path, shared: SharedChunks) -> None:
    shards = [f"scenes-{number:05d}" for number in range(5)]
    with opened(tmp_path / "a", shared, "other-00000") as store:
        put(store, request("of this size"), os.urandom(5000).hex())
    bound = int(max(shared.sizes("other-00000").values()) * 2.5)
    small, machine = SharedChunks(shared.store, bound), tmp_path / "b"
    for number, shard in enumerate(shards):
        with opened(machine, small, shard) as store:
            put(store, request(shard), os.urandom(5000).hex())
        os.utime(machine / shard, (number, number))
        assert sum(path.stat().st_size for path in machine.glob("*/chunk-*")) <= bound
    assert [len(chunks(machine / shard)) for shard in shards] == [0, 0, 0, 1, 1]
    assert all(len(small.sizes(shard)) == 1 for shard in shards)


def test_stats_tell_what_is_shared_and_what_is_here_alone(tmp_path: Path, shared: SharedChunks) -> None:
    with opened(tmp_path / "a", shared) as store:
        put(store, request("one"))
    there = sum(objects_below(shared.store.root).values())
    with opened(tmp_path / "b", shared) as store:
        put(store, request("two"))
        found = store_maintenance.stats(tmp_path / "b", SHARD, shared)
        assert found["completions"] == 2 and found["journals"] == 1
        assert found["shared"] == {"bytes": there, "chunks": 1, "completions_here_alone": 1}
    assert store_maintenance.stats(tmp_path / "c", SHARD, shared)["shared"]["completions_here_alone"] == 0
    assert store_maintenance.stored_shards(tmp_path / "nothing", shared) == [SHARD]


def test_what_was_stored_before_is_shared_when_asked_for(tmp_path: Path, shared: SharedChunks) -> None:
    with ResponseStore(tmp_path / "own", SHARD) as store:
        key = put(store, request())
    before = shutil.copytree(tmp_path / "own", tmp_path / "before")
    assert store_maintenance.share_chunks(tmp_path / "own", SHARD, shared) == 1
    assert store_maintenance.share_chunks(tmp_path / "own", SHARD, shared) == 0
    with opened(tmp_path / "b", shared) as other:
        assert key in other
    assert chunks(tmp_path / "own" / SHARD) == chunks(before / SHARD)


def test_the_command_line_shares_what_was_stored_before(
    tmp_path: Path, shared: SharedChunks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    monkeypatch.delenv("LGT_STORE", raising=False)
    with ResponseStore(responses_folder(), SHARD) as store:
        key = put(store, request())
    with pytest.raises(SystemExit) as ended:
        main(["store", "share"])
    assert ended.value.code == 1 and "set LGT_STORE" in capsys.readouterr().err
    monkeypatch.setenv("LGT_STORE", shared.store.root)
    for chunk_count in (1, 0):
        with pytest.raises(SystemExit) as ended:
            main(["store", "share", "--json"])
        assert not ended.value.code
        assert json.loads(capsys.readouterr().out) == {"shards": 1, "chunks": chunk_count}
    with pytest.raises(SystemExit) as ended:
        main(["store", "share", "--shards", "photos-*"])
    assert ended.value.code == 1 and "for shards like 'photos-*'" in capsys.readouterr().err
    with ResponseStore(responses_folder(), SHARD, shared=shared) as store:
        assert responses_folder() != tmp_path / "responses" and key in store
