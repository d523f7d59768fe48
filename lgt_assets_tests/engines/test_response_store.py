"""The response store: durable, never asked twice, the same whoever reads it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lgt_assets.engines.base import Completion, Request, request_key
from lgt_assets.engines.response_store import COLUMNS, ResponseStore
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY
from lgt_assets.errors import StorageError
from lgt_assets.record_models import Generations
from lgt_assets_tests.engines.requests import request

SHARD = "scenes-00000"


def put(store: ResponseStore, asked: Request, text: str = "yes", asset: str = "seed_questions") -> str:
    key = request_key(SCRIPTED_IDENTITY, asked)
    completion = Completion(key, text, "stop", 3, 2, 1, 0.5)
    store.append(asked, completion, asset=asset, role="vlm", engine_kind="scripted", identity=SCRIPTED_IDENTITY)
    return key


def test_columns_are_those_of_generations() -> None:
    assert list(COLUMNS) == [name for name in Generations.to_schema().columns if name not in ("shard", "ordinal")]


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
        rows = store.rows("seed_questions")
    assert [path.suffix for path in (tmp_path / SHARD).iterdir()] == [".parquet"]
    again = ResponseStore(tmp_path, SHARD)
    assert again.rows("seed_questions") == rows
    assert again[key].text == "yes"
    assert again.rows("distilled_cots") == []


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
    again = ResponseStore(tmp_path, SHARD)
    assert key in again and len(again) == 1
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
    assert one.rows("seed_questions") == other.rows("seed_questions")
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
    assert len(again.rows("seed_questions")) == 1
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
        rows = [{"shard": SHARD, "ordinal": 0, **row} for row in store.rows("seed_questions")]
    with ResponseStore(tmp_path / "new", SHARD) as store:
        assert store.adopt(rows) == 1
        assert store.adopt(rows) == 0
        assert store[key].text == "yes"
    assert key in ResponseStore(tmp_path / "new", SHARD)
