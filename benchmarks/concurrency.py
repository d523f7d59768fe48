"""Writers that commit to one table at once: what is lost, what fails, what collides, and what a commit takes.

Every writer is a process that replaces a slice of `images` a number of times: in every ``OVERLAP``-th commit one of a few shards
that all of them write, otherwise a shard of its own. Rows name their writer and turn, so that a slice mixed from two commits
shows: every version is read, and must hold just the rows of its commit in that slice. *Lost* are rows of a commit that its
version, or for the newest commit to a slice the latest version, lacks; *failed* are commits that were given up; *conflicts* are
attempts that had to begin anew, with the rows written once more. Beside it one writer alone makes its commits: the floor.

With ``--store moto`` or ``seaweedfs`` the table lies on that S3 server, which is started here; by default on the local disk.
"""

import argparse
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

OVERLAP = 4
SHARED_SHARDS = 3
ROWS = 20
MOST_SECONDS = 900


@dataclass
class Written:
    """What one writer did: seconds of each commit, attempts that lost a race, commits that were given up."""

    seconds: list[float]
    conflicts: int
    failures: list[str]


class Counted(logging.Handler):
    """Counts the races that the store's commits lost."""

    lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One lost race."""
        self.lost += 1


def shard_of(writer: int, turn: int) -> str:
    """The shard that a writer replaces in a turn."""
    return f"both-{turn // OVERLAP % SHARED_SHARDS:05d}" if turn % OVERLAP == 0 else f"own-{writer:05d}"


def rows_of(writer: int, turn: int) -> pl.DataFrame:
    """Rows of one commit, recognizable in every row."""
    from lgt_assets.schemas import frame
    from lgt_assets_tests.rows import image_row

    shard = shard_of(writer, turn)
    # As many rows as no other commit to the shard has, give or take: a mix of two would show in the count as well.
    count = ROWS + (writer * 7 + turn) % 13
    return frame("images", [image_row(n, shard=shard, caption=f"{writer} {turn}") for n in range(count)])


def write(root: str, writer: int, commits: int, start: object, answers: object) -> None:
    """One writer's commits, after all writers are ready."""
    from lgt_assets.errors import StorageError
    from lgt_assets.storage import DeltaStore

    store, counted = DeltaStore(root), Counted()
    log = logging.getLogger("lgt_assets.commit_retries")
    log.addHandler(counted)
    log.setLevel(logging.INFO)
    log.propagate = False
    done = Written([], 0, [])
    prepared = [rows_of(writer, turn) for turn in range(commits)]
    start.wait()
    try:
        for turn, rows in enumerate(prepared):
            began = time.perf_counter()
            try:
                store.replace(
                    "images", rows, shard=rows["shard"][0], metadata={"writer": str(writer), "turn": str(turn)}
                )
            except StorageError as error:
                done.failures.append(str(error))
            done.seconds.append(time.perf_counter() - began)
    finally:  # also of an error that the store does not know: the others' reports are waited for
        if len(done.seconds) < commits:
            done.failures.append(f"writer {writer} ended after {len(done.seconds)} commits")
        done.conflicts = counted.lost
        answers.put((writer, done))


def run_writers(root: str, writers: int, commits: int) -> tuple[list[Written], float]:
    """All writers' reports, and the seconds from their common start to the last one's end."""
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(writers + 1), context.Queue()
    processes = [context.Process(target=write, args=(root, n, commits, start, answers)) for n in range(writers)]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    reports = [answers.get(timeout=MOST_SECONDS)[1] for _ in processes]
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return reports, seconds


def commits_of(root: str) -> Iterator[tuple[int, int, int]]:
    """Version, writer and turn of every commit, newest first."""
    for entry in _history(root):
        if "writer" in entry:
            yield entry["version"], int(entry["writer"]), int(entry["turn"])


def newest_commits(root: str) -> dict[str, tuple[int, int]]:
    """Writer and turn of the newest commit to each shard."""
    found: dict[str, tuple[int, int]] = {}
    for _version, writer, turn in commits_of(root):
        found.setdefault(shard_of(writer, turn), (writer, turn))
    return found


def wrong_commits(root: str) -> Iterator[tuple[str, int]]:
    """Commits whose slice has other rows than they wrote, in their own version or in the latest, and how many it lacks."""
    from lgt_assets.storage import DeltaStore

    store, newest = DeltaStore(root), newest_commits(root)
    latest = store.read("images").partition_by("shard", as_dict=True)
    for version, writer, turn in commits_of(root):
        shard, wanted = shard_of(writer, turn), rows_of(writer, turn)
        states = [store.read("images", shards=[shard], version=version)]
        if newest[shard] == (writer, turn):
            states.append(latest.get((shard,), wanted.clear()))
        for found in states:
            if not found.equals(wanted):
                held = wanted.join(found, on=["image_id", "caption"], how="semi").height
                yield f"version {version}, {shard}", wanted.height - held


def rebased(root: str) -> int:
    """Commits that deltalake moved behind others without writing anew."""
    return sum(bool(entry.get("operationMetrics", {}).get("num_retries")) for entry in _history(root))


def _history(root: str) -> list[dict]:
    from lgt_assets.storage import DeltaStore

    return DeltaStore(root).open("images").history()


@contextmanager
def emptied(store: str) -> Iterator[str]:
    """A new root for tables: a folder, or below a bucket of a server of one's own, which the environment then reaches."""
    from lgt_assets_tests.object_stores import BUCKET, environment, server_of

    if store == "local":
        with tempfile.TemporaryDirectory(prefix="lgt-concurrency-") as folder:
            yield folder
        return
    with server_of(store) as endpoint:
        os.environ.update(environment(endpoint))
        yield f"s3://{BUCKET}/concurrency"


def measure(writers: int, commits: int, store: str = "local") -> dict:
    """All figures, in places of their own."""
    with emptied(store) as root:
        alone, _seconds = run_writers(f"{root}/alone", 1, commits)
        together = f"{root}/together"
        reports, seconds = run_writers(together, writers, commits)
        wrong = list(wrong_commits(together))
        committed, moved = len(list(commits_of(together))), rebased(together)
    failures = [failure for report in reports for failure in report.failures]
    each = sorted(second for report in reports for second in report.seconds)
    floor = sum(alone[0].seconds) / commits
    return {
        "store": store,
        "writers": writers, "commits": writers * commits, "committed": committed, "lost_rows": sum(lost for _, lost in wrong),
        "wrong_commits": len(wrong), "failed": len(failures), "conflicts": sum(report.conflicts for report in reports),
        "rebased": moved, "wall_s": round(seconds, 2), "s_per_commit": round(seconds / (writers * commits), 4),
        "median_s": round(each[len(each) // 2], 4), "longest_s": round(each[-1], 3), "alone_s_per_commit": round(floor, 4),
        "ratio": round(seconds / (writers * commits) / floor, 2), "failures": failures[:5],
    }  # fmt: skip


def main() -> None:
    """Print the figures; with --json also as one object on one line. Exit code 1 if anything was lost or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--commits", type=int, default=100, help="of each writer")
    parser.add_argument("--store", choices=("local", "moto", "seaweedfs"), default="local", help="where the table lies")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.writers, arguments.commits, arguments.store)
    print(
        f"{arguments.store}: {figures['writers']} writers, {figures['commits']} commits, "
        f"one in {OVERLAP} to one of {SHARED_SHARDS} shared shards"
    )
    print(
        f"lost rows {figures['lost_rows']}, wrong commits {figures['wrong_commits']}, failed commits {figures['failed']}"
    )
    print(f"begun anew {figures['conflicts']}, moved behind others {figures['rebased']}")
    print(
        f"{figures['s_per_commit']} s a commit of wall time ({figures['median_s']} s median, {figures['longest_s']} s longest), "
        f"{figures['alone_s_per_commit']} s for a writer alone: {figures['ratio']}x"
    )
    if arguments.json:
        print(json.dumps(figures))
    sys.exit(1 if figures["lost_rows"] or figures["wrong_commits"] or figures["failed"] else 0)


if __name__ == "__main__":
    main()
