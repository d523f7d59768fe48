"""The response store: durable, never asked twice, the same whoever reads it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.engines import folding, response_store, sealing, store_garbage, store_maintenance, stored_files
from lgt_assets.engines.base import Completion, Request, request_key
from lgt_assets.engines.completion_records import COLUMNS
from lgt_assets.engines.folder_use import is_in_use
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY
from lgt_assets.engines.stored_files import SET_ASIDE
from lgt_assets.errors import StorageError
from lgt_assets.record_models import Generations
from lgt_assets_tests.engines.requests import request

SHARD = "scenes-00000"


def put(store: ResponseStore, asked: Request, text: str = "yes", asset: str = "seed_questions") -> str:
    key = request_key(SCRIPTED_IDENTITY, asked)
    completion = Completion(key, text, "stop", 3, 2, 1, 0.5)
    store.append(asked, completion, asset=asset, role="vlm", engine_kind="scripted", identity=SCRIPTED_IDENTITY)
    return key


def rows(store: ResponseStore, asset: str = "seed_questions") -> list[dict]:
    return [row for frame in store.frames(asset) for row in frame.iter_rows(named=True)]


def test_columns_are_those_of_generations() -> None:
    assert list(COLUMNS) == [name for name in Generations.to_schema().columns if name not in ("shard", "ordinal")]


def test_files_of_before_completions_named_their_endpoint_are_whole(tmp_path: Path) -> None:
    asked = [request(f"question {number}") for number in range(3)]
    with ResponseStore(tmp_path, SHARD) as store:
        old = put(store, asked[0])
    (chunk,) = (tmp_path / SHARD).iterdir()
    pl.read_parquet(chunk, memory_map=False).drop("endpoint").write_parquet(chunk)
    with ResponseStore(tmp_path, SHARD) as store:
        assert store[old].endpoint is None
        new = Completion(request_key(SCRIPTED_IDENTITY, asked[1]), "no", "stop", endpoint="http://a/v1")
        store.append(
            asked[1], new, asset="seed_questions", role="vlm", engine_kind="scripted", identity=SCRIPTED_IDENTITY
        )
        put(store, asked[2])
    assert store_maintenance.verify(tmp_path, SHARD) == []
    found = {row["request_key"]: row["endpoint"] for row in rows(ResponseStore(tmp_path, SHARD))}
    assert (len(found), found[old], found[new.request_key]) == (3, None, "http://a/v1")


def test_reading_leaves_no_files(tmp_path: Path) -> None:
    with ResponseStore(tmp_path / "store", SHARD) as store:
        assert "0" * 64 not in store
    assert not (tmp_path / "store").exists()


def test_kept_before_and_after_sealing(tmp_path: Path) -> None:
    asked = request("Was?", prefix="<think>", stop=("</answer>",))
    with ResponseStore(tmp_path, SHARD) as store:
        key = put(store, asked)
        with ResponseStore(tmp_path, SHARD) as other:
            assert other[key] == store[key] == Completion(key, "yes", "stop", 3, 2, 1, 0.5)
        before = rows(store)
    assert [path.suffix for path in (tmp_path / SHARD).iterdir()] == [".parquet"]
    again = ResponseStore(tmp_path, SHARD)
    assert rows(again) == before
    assert again[key].text == "yes"
    assert rows(again, "distilled_cots") == []


def test_hostile_texts_come_back_as_they_were(tmp_path: Path) -> None:
    texts = ["\x00\n\u2028</script>", "😀\ud83d", "", "../../etc"]
    with ResponseStore(tmp_path, SHARD) as store:
        keys = [put(store, request(str(place)), text) for place, text in enumerate(texts)]
    again = ResponseStore(tmp_path, SHARD)
    assert [again[key].text for key in keys] == [text.encode("utf-8", "replace").decode() for text in texts]


def test_shard_keys_only(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not a shard key"):
        ResponseStore(tmp_path, "../elsewhere")


def test_foreign_files_are_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ResponseStore(tmp_path, SHARD) as store:
        key = put(store, request())
    folder = tmp_path / SHARD
    (folder / "notes.txt").write_text("mine")
    (folder / f"journal-{'0' * 32}.lgtj").write_bytes(b"something else")
    (folder / f"chunk-{'0' * 32}.parquet").write_bytes(b"PAR1 not really")
    reading = ResponseStore(tmp_path, SHARD, read_only=True)
    assert key in reading and (folder / f"chunk-{'0' * 32}.parquet").exists()
    reading.close()
    again = ResponseStore(tmp_path, SHARD)
    assert key in again and len(again) == 1
    again.close()
    aside = sorted(path.name for path in (folder / SET_ASIDE).iterdir())
    assert [name[:5] for name in aside] == ["chunk", "journ"]
    for name in ("notes.txt", f"journal-{'0' * 32}.lgtj", f"chunk-{'0' * 32}.parquet"):
        assert name in caplog.text
    assert (folder / "notes.txt").exists()


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from lgt_assets.engines.response_store import ResponseStore
    from lgt_assets_tests.engines.requests import request
    from lgt_assets_tests.engines.test_response_store import put
    store = ResponseStore(Path(sys.argv[1]), "scenes-00000")
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        put(store, request(f"question {number}"), f"answer {number} of {sys.argv[2]}")
        print(number, flush=True)
    if sys.argv[4] == "close":
        store.close()
""")


def writer(root: Path, first: int, last: int, end: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), str(first), str(last), end], stdout=subprocess.PIPE, text=True
    )


def test_sigkill_mid_write_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 1_000_000, "never")
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _line in range(300)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines() if line.isdigit()]
    process.wait()
    store = ResponseStore(tmp_path, SHARD)
    keys = [request_key(SCRIPTED_IDENTITY, request(f"question {number}")) for number in acknowledged]
    assert all(key in store for key in keys)
    assert [store[key].text for key in keys] == [f"answer {number} of 0" for number in acknowledged]
    kept = len(store)
    assert kept in (len(keys), len(keys) + 1)
    store.close()  # takes the dead run's journal over
    assert [path.suffix for path in (tmp_path / SHARD).iterdir()] == [".parquet"]
    assert len(ResponseStore(tmp_path, SHARD)) == kept


def test_two_processes_on_one_shard(tmp_path: Path) -> None:
    both = [writer(tmp_path, 0, 300, "close"), writer(tmp_path, 200, 500, "close")]
    assert [process.communicate()[0].count("\n") for process in both] == [300, 300]
    one, other = ResponseStore(tmp_path, SHARD), ResponseStore(tmp_path, SHARD)
    assert len(one) == 500
    assert rows(one) == rows(other)
    # asked by both: the smaller text counts, whoever was first
    assert one[request_key(SCRIPTED_IDENTITY, request("question 250"))].text == "answer 250 of 0"


def test_crash_between_sealing_and_removing_the_journal_duplicates_nothing(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, SHARD)
    put(store, request())
    journal = next((tmp_path / SHARD).iterdir())
    content = journal.read_bytes()
    store.close()
    journal.write_bytes(content)
    again = ResponseStore(tmp_path, SHARD)
    assert len(rows(again)) == 1
    again.close()
    assert len(list((tmp_path / SHARD).iterdir())) == 1


def test_order_of_arrival_does_not_decide_between_duplicates(tmp_path: Path) -> None:
    for folder, texts in (("a", ("one", "two")), ("b", ("two", "one"))):
        for text in texts:
            store = ResponseStore(tmp_path / folder, SHARD)
            key = put(store, request(), text)
            store.close()
        assert ResponseStore(tmp_path / folder, SHARD)[key].text == "one"


def test_adopted_rows_are_kept(tmp_path: Path) -> None:
    with ResponseStore(tmp_path / "lost", SHARD) as store:
        key = put(store, request())
        kept = [{"shard": SHARD, "ordinal": 0, **row} for row in rows(store)]
    with ResponseStore(tmp_path / "new", SHARD) as store:
        assert store.adopt(kept) == 1
        assert store.adopt(kept) == 0
        assert store[key].text == "yes"
    assert key in ResponseStore(tmp_path / "new", SHARD)


def test_long_journals_are_sealed_while_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (response_store, sealing):
        monkeypatch.setattr(module, "SEAL_BYTES", 20_000)
    monkeypatch.setattr(folding, "FOLDED_ROWS", 50)
    with ResponseStore(tmp_path, SHARD) as store:
        keys = [put(store, request(f"question {number}"), f"answer {number}") for number in range(400)]
        assert store._sealing is not None
        store._sealing.result()
        names = [path.name for path in (tmp_path / SHARD).iterdir()]
        assert sum(name.startswith("chunk") for name in names) > 2
        assert [store[key].text for key in keys] == [f"answer {number}" for number in range(400)]
        folded = rows(store)
        assert [row["request_key"] for row in folded] == sorted(keys)
    assert {path.suffix for path in (tmp_path / SHARD).iterdir()} == {".parquet"}
    again = ResponseStore(tmp_path, SHARD)
    assert [again[key].text for key in keys] == [f"answer {number}" for number in range(400)]
    assert rows(again) == folded


def test_what_a_live_run_has_written_is_folded_too_and_left_to_it(tmp_path: Path) -> None:
    with ResponseStore(tmp_path, SHARD) as live:
        put(live, request("one"))
        with ResponseStore(tmp_path, SHARD) as store:
            put(store, request("two"))
            assert len(rows(store)) == 2
        put(live, request("three"))
    assert len(rows(ResponseStore(tmp_path, SHARD))) == 3


def test_a_damaged_journal_is_set_aside_once_its_whole_records_are_sealed(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 10, "never")
    process.communicate()
    journal = next((tmp_path / SHARD).glob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:-5])
    ResponseStore(tmp_path, SHARD).close()
    assert not journal.exists()
    assert len(list((tmp_path / SHARD / SET_ASIDE).iterdir())) == 1
    assert len(ResponseStore(tmp_path, SHARD)) == 9


def test_a_closed_store_takes_nothing(tmp_path: Path) -> None:
    with ResponseStore(tmp_path, SHARD) as store:
        put(store, request())
    with pytest.raises(StorageError, match="closed"):
        put(store, request("another"))


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    with ResponseStore(tmp_path, SHARD) as store:
        key = put(store, request(), "one")
    assert store_maintenance.verify(tmp_path, SHARD) == []
    chunk = next((tmp_path / SHARD).glob("chunk-*"))
    with ResponseStore(tmp_path, SHARD) as store:
        put(store, request(), "another")
    assert [key in problem for problem in store_maintenance.verify(tmp_path, SHARD)] == [True]
    frame = stored_files.read_chunk(chunk).with_columns(seed=pl.lit(7, pl.Int64))
    frame.write_parquet(chunk)
    problems = store_maintenance.verify(tmp_path, SHARD)
    assert any(chunk.name in problem and "changed" in problem for problem in problems)
    chunk.write_bytes(chunk.read_bytes()[:-20])
    assert any(
        chunk.name in problem and "cannot be read" in problem for problem in store_maintenance.verify(tmp_path, SHARD)
    )


def test_gc_leaves_a_shard_in_use_alone(tmp_path: Path) -> None:
    nobody = lambda frame: pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)  # noqa: E731
    with ResponseStore(tmp_path, SHARD) as store:
        put(store, request())
        assert store_garbage.find_garbage(tmp_path, SHARD, nobody).in_use
        with pytest.raises(StorageError, match="in use"):
            store_garbage.remove_garbage(tmp_path, SHARD, nobody)
    assert store_garbage.remove_garbage(tmp_path, SHARD, nobody).completions == 1
    assert len(ResponseStore(tmp_path, SHARD)) == 0


def test_a_store_that_cannot_be_opened_holds_nothing(tmp_path: Path) -> None:
    with ResponseStore(tmp_path, SHARD) as store:
        put(store, request())
        (live,) = (tmp_path / SHARD).glob("journal-*")
        live.with_name(f"journal-{'0' * 32}.lgtj").write_bytes(live.read_bytes())
        (tmp_path / SHARD / f"journal-{'f' * 32}.lgtj").mkdir()  # opened, and then refused
    held = os.listdir("/proc/self/fd")
    with pytest.raises(StorageError, match="cannot be read"):
        ResponseStore(tmp_path, SHARD)
    assert len(os.listdir("/proc/self/fd")) == len(held) and not is_in_use(tmp_path / SHARD)


def test_sealing_goes_on_where_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SEAL_BYTES", 1)  # a chunk for each journal
    folder = tmp_path / "dead" / SHARD
    folder.mkdir(parents=True)
    names = []
    for number in range(2):
        with ResponseStore(tmp_path / str(number), SHARD) as store:
            put(store, request(f"question {number}"))
            (journal,) = (tmp_path / str(number) / SHARD).glob("journal-*")
            (folder / f"journal-{str(number) * 32}.lgtj").write_bytes(journal.read_bytes())
        names += [path.name for path in (tmp_path / str(number) / SHARD).glob("chunk-*")]
    with ResponseStore(folder.parent, SHARD) as store:
        (folder / names[1]).mkdir()  # in the second chunk's place
        with pytest.raises(StorageError, match="cannot be sealed"):
            rows(store)
        (folder / names[1]).rmdir()
        written = (folder / names[0]).stat().st_ino
        assert len(rows(store)) == 2
        assert (folder / names[0]).stat().st_ino == written  # the first was not sealed again
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
