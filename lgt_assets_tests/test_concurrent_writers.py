"""Processes that write one table at once, and one that is killed between its data files and its commit."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.concurrency import commits_of, rows_of, run_writers, shard_of, wrong_commits
from lgt_assets.schemas import frame
from lgt_assets.storage import FILE_BYTES, DeltaStore
from lgt_assets.table_maintenance import maintain_table
from lgt_assets_tests.rows import image_row

SHARD = "a-00000"
# Rows that fill more than a data file: the writer asks whether there are more while the first lies there, in no commit.
KILLED_BEFORE_THE_COMMIT = """
import os, signal, sys
from collections.abc import Iterator
from pathlib import Path
import polars as pl
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.dagit import wait_until
from lgt_assets_tests.test_concurrent_writers import SHARD, large_batches

store = DeltaStore(sys.argv[1])
folder = Path(store.uri("images")) / f"shard={SHARD}"
before = set(folder.glob("*"))

def seen() -> bool:
    return any(path.suffix == sys.argv[2] for path in set(folder.glob("*")) - before)

passes = []

def batches() -> Iterator[pl.DataFrame]:
    passes.append(1)
    yield from large_batches()
    if len(passes) == 3:  # the first checks the rows, the second compares them with what is there
        wait_until(seen, 60, sys.argv[2])
        os.kill(os.getpid(), signal.SIGKILL)

store.replace("images", batches, shard=SHARD)
"""


def large_batches() -> Iterator[pl.DataFrame]:
    """Three row groups of captions that do not compress, half a data file each, in the order of their ordinals."""
    size = 512
    batch = frame("images", [image_row(n, shard=SHARD) for n in range(size)])
    for start in range(0, 3 * 8192, size):
        captions = [os.urandom(FILE_BYTES // 8192 // 2 + 100).hex() for _ in range(size)]
        yield batch.with_columns(ordinal=pl.col("ordinal") + start, caption=pl.Series(captions))


def test_racing_processes_lose_no_commit(tables_root: str) -> None:
    reports, _seconds = run_writers(tables_root, writers=4, commits=10)
    assert [report.failures for report in reports] == [[]] * 4
    assert sorted((writer, turn) for _, writer, turn in commits_of(tables_root)) == [
        (writer, turn) for writer in range(4) for turn in range(10)
    ]
    assert list(wrong_commits(tables_root)) == []


def test_a_lost_row_would_be_seen(tmp_path: Path) -> None:
    store = DeltaStore(str(tmp_path))
    for turn in range(2):
        rows = rows_of(0, turn)
        store.replace("images", rows, shard=shard_of(0, turn), metadata={"writer": "0", "turn": str(turn)})
    assert list(wrong_commits(str(tmp_path))) == []
    store.replace("images", rows.head(rows.height - 3), shard=shard_of(0, 1))
    assert list(wrong_commits(str(tmp_path))) == [(f"version 2, {shard_of(0, 1)}", 3)]


@pytest.mark.parametrize("suffix", [".parquet", ".parquet#1"])
def test_a_writer_killed_before_its_commit_leaves_the_slice_whole(tmp_path: Path, suffix: str) -> None:
    store = DeltaStore(str(tmp_path))
    before = frame("images", [image_row(n, shard=SHARD) for n in range(5)])
    version = store.replace("images", before, shard=SHARD)
    whole = set((tmp_path / "images").rglob("*"))
    command = [sys.executable, "-c", KILLED_BEFORE_THE_COMMIT, str(tmp_path), Path(f"x{suffix}").suffix]
    killed = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[1])
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    left = set((tmp_path / "images").rglob(f"*{suffix}")) - whole
    assert left
    assert store.version("images") == version
    assert store.read("images").equals(before)
    after = before.with_columns(caption=pl.lit("The next run."))
    assert store.replace("images", after, shard=SHARD) == version + 1
    assert store.read("images").equals(after)
    assert store.read("images", version=version).equals(before)
    done = maintain_table(store, "images", retain_hours=0, dry_run=False, require_idle=lambda: None)
    assert not done.left_alone and done.files_removed + done.staged_removed > len(left)  # and that of the first version
    assert not any(path.exists() for path in left)
    assert store.read("images").equals(after)
