"""Two nodes with a GPU each: where runs are placed, and what is left of the rows when parts of the cluster are killed."""

import json
import os
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil
import pytest
from deltalake import DeltaTable

from benchmarks.crash import IN_FLIGHT
from lgt_assets_tests.cluster.deployment import ASSETS, SHARDS, WRITTEN, Deployment, engine_events, shard
from lgt_assets_tests.cluster.processes import RunProcess, kill
from lgt_assets_tests.cluster.ray_nodes import HEAD, WORKER
from lgt_assets_tests.dagit import wait_until

# Of the 60 requests of the first asset that asks a model: requests are in flight when a kill comes, also a second or two later.
MIDST = 20
DELAY = 1.0  # long enough for a kill to come while requests are in flight, also where this machine is busy
RESUMED = "Started process for resuming job"


@pytest.fixture(scope="module")
def deployment(folder: Path) -> Iterator[Deployment]:
    made = Deployment(folder, DELAY)
    try:
        made.start()
        yield made
    finally:
        made.end()
        figures = "\n".join(json.dumps(row) for row in FIGURES)
        if "LGT_CLUSTER_FIGURES" in os.environ:
            Path(os.environ["LGT_CLUSTER_FIGURES"]).write_text(figures + "\n")


@pytest.fixture(scope="module")
def expected(deployment: Deployment) -> dict[str, dict[str, str]]:
    return deployment.expected()


FIGURES: list[dict] = []


@dataclass
class Struck:
    """A run in the middle of its shard: who executes it, and what was seen of it."""

    deployment: Deployment
    key: str
    backfill: str
    run: RunProcess
    figures: dict = field(default_factory=dict)
    killed_at: float = 0.0

    def mark(self) -> None:
        """Now it is killed."""
        self.killed_at = time.time()
        self.figures["sent before"] = len(set(self.deployment.requests()))

    def wait_resumed(self, seconds: float = 120) -> None:
        """Until another process has begun to go on with the run."""

        def resumed() -> float | None:
            with self.deployment.instance() as instance:
                times = [at for at, message in engine_events(instance, self.run.run_id) if message.startswith(RESUMED)]
            return times[0] if times else None

        self.figures["seconds_until_resumed"] = round(wait_until(resumed, seconds, "a resumed run") - self.killed_at, 1)

    def finish(self, expected: dict[str, dict[str, str]], most: int = IN_FLIGHT) -> None:
        """Until the run has ended well; then rows are what they must be, and at most so many requests were sent again."""
        self.deployment.finish([self.backfill])
        self.figures["seconds_until_finished"] = round(time.time() - self.killed_at, 1)
        self.figures["requests"] = len(set(self.deployment.requests()))
        self.figures["repeated"] = self.deployment.repeated()
        FIGURES.append(self.figures)
        rows = self.deployment.rows(self.key)
        assert {table: rows[table] == expected[self.key][table] for table in WRITTEN} == dict.fromkeys(WRITTEN, True)
        assert self.deployment.repeated() <= most


def begin(deployment: Deployment, key: str, name: str, after: int = MIDST) -> Struck:
    """Launch a shard, and wait until its run has sent some requests."""
    deployment.forget()
    (backfill,) = deployment.launch([key])
    wait_until(lambda: len(deployment.requests()) >= after, 120, f"requests of {key}")
    (run,) = deployment.processes.runs()
    return Struck(deployment, key, backfill, run, {"killed": name})


@contextmanager
def begun_on_the_worker(deployment: Deployment, key: str, name: str) -> Iterator[Struck]:
    """A run in its midst on the node that is killed; afterwards the node is started anew."""
    with deployment.ray.gpu_held(HEAD):
        struck = begin(deployment, key, name)
        assert struck.run.node == WORKER
    try:
        yield struck
    finally:
        deployment.ray.end_node(WORKER)
        wait_until(lambda: deployment.ray.nodes_alive() == 1, 60, "the end of the worker node")
        deployment.ray.start_worker()


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_who_has_no_token_is_refused(deployment: Deployment) -> None:
    assert deployment.ray.nodes_alive() == 2
    for token in ("", "another"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            deployment.ray.ask("/api/jobs/", token=token)
        assert refused.value.code in (401, 403)


def test_runs_are_spread_over_both_nodes_and_none_shares_a_gpu(
    deployment: Deployment, expected: dict[str, dict[str, str]]
) -> None:
    keys = [shard(number) for number in range(3)]
    started = time.time()
    backfills = deployment.launch(keys)
    deployment.finish(backfills)
    spans: dict[str, list[tuple[float, float]]] = {}
    with deployment.instance() as instance:
        for run in instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfills})):
            events = engine_events(instance, run.run_id)
            begun = [at for at, message in events if message.startswith("Started process for run")]
            ended = [at for at, message in events if message.startswith("Process for run exited")]
            assert json.loads(run.tags["dagster-ray/config"]) == {"num_gpus": 1}
            spans.setdefault(deployment.ray.node_of_run(run.run_id), []).append((begun[0], ended[0]))
    assert sum(map(len, spans.values())) == len(keys) and len(spans) == 2, spans
    for taken in spans.values():
        for (_begun, ended), (begun, _ended) in zip(sorted(taken), sorted(taken)[1:], strict=False):
            assert ended < begun, spans
    FIGURES.append({"killed": "nothing", "seconds": round(time.time() - started, 1), "runs": len(keys)})
    assert {key: deployment.rows(key) for key in keys} == {key: expected[key] for key in keys}
    assert deployment.repeated() == 0


def test_a_node_and_its_run_are_killed(deployment: Deployment, expected: dict[str, dict[str, str]]) -> None:
    with begun_on_the_worker(deployment, shard(3), "raylet and run") as struck:
        raylet = deployment.ray.raylet(WORKER)
        struck.mark()
        kill(raylet)
        kill(struck.run.process)
        struck.wait_resumed()
        struck.finish(expected)


def test_only_the_raylet_is_killed(deployment: Deployment, expected: dict[str, dict[str, str]]) -> None:
    with begun_on_the_worker(deployment, shard(4), "raylet alone") as struck:
        struck.mark()
        kill(deployment.ray.raylet(WORKER))
        struck.wait_resumed()
        struck.figures["old process gone when resumed"] = is_gone(struck.run.process)
        struck.finish(expected)
        wait_until(lambda: is_gone(struck.run.process), 30, "the end of the run's old process")


def test_a_process_that_was_taken_for_dead_wakes_up(
    deployment: Deployment, expected: dict[str, dict[str, str]]
) -> None:
    with begun_on_the_worker(deployment, shard(5), "raylet, run asleep") as struck:
        # As a machine that is cut off: neither the run nor what Ray left to end it gets on.
        watchers = deployment.processes.of_node(WORKER, "kill -9 -")
        assert watchers
        for watcher in watchers:
            kill(watcher)
        kill(struck.run.process, signal.SIGSTOP)
        struck.mark()
        kill(deployment.ray.raylet(WORKER))
        struck.wait_resumed()
        asked = len(set(deployment.requests()))
        wait_until(lambda: len(set(deployment.requests())) > asked, 120, "requests of the resumed run")
        assert not is_gone(struck.run.process)
        kill(struck.run.process, signal.SIGCONT)
        wait_until(lambda: is_gone(struck.run.process), 60, "the end of what woke up")
        # What was in flight when it fell asleep, and what it had taken up to be sent next, before it asked whether it may.
        struck.finish(expected, most=2 * IN_FLIGHT)
        with deployment.instance() as instance:
            told = [message for _at, message in engine_events(instance, struck.run.run_id)]
        assert any(f"Process {struck.run.process.pid} ends itself" in message for message in told), told


def test_the_daemon_is_killed(deployment: Deployment, expected: dict[str, dict[str, str]]) -> None:
    struck = begin(deployment, shard(6), "daemon")
    struck.mark()
    kill(deployment.daemon)
    assert deployment.daemon.wait(30) is not None
    deployment.start_daemon()
    struck.finish(expected)
    assert deployment.repeated() == 0
    with deployment.instance() as instance:
        assert not [m for _at, m in engine_events(instance, struck.run.run_id) if m.startswith(RESUMED)]


def test_a_writer_is_killed_between_its_data_file_and_its_commit(
    deployment: Deployment, expected: dict[str, dict[str, str]]
) -> None:
    key = shard(7)
    struck = begin(deployment, key, "writer before its commit", after=1)
    left = killed_between(deployment, struck.run.process, key)
    struck.mark()
    struck.wait_resumed()
    struck.finish(expected)
    struck.figures["left by it"] = left
    tables = {table: DeltaTable(str(deployment.state / "tables" / table)) for table in WRITTEN}
    held = {f"{table}/{uri.rpartition('/')[2]}" for table, delta in tables.items() for uri in delta.file_uris()}
    assert not held & set(left)


def killed_between(deployment: Deployment, writer: psutil.Process, key: str) -> list[str]:
    """Stop the writer when a data file of the shard lies there, and kill it if no commit names the file; what lies there."""
    roots = {table: deployment.state / "tables" / table for table in WRITTEN}
    known = {table: _files(root, key) for table, root in roots.items()}
    deadline, pause = time.monotonic() + 120, threading.Event()
    while time.monotonic() < deadline:
        for table, root in roots.items():
            fresh = _files(root, key) - known[table]
            if not fresh:
                continue
            writer.send_signal(signal.SIGSTOP)
            wait_until(lambda: writer.status() == psutil.STATUS_STOPPED, 10, "a stopped writer")
            committed = {uri.rpartition("/")[2] for uri in DeltaTable(str(root)).file_uris()}
            if fresh - committed:
                kill(writer)
                return sorted(f"{table}/{name}" for name in fresh - committed)
            known[table] |= fresh
            writer.send_signal(signal.SIGCONT)
        pause.wait(0.0005)
    raise AssertionError("the writer was never seen between a data file and its commit")


def _files(root: Path, key: str) -> set[str]:
    return {path.name for path in root.glob(f"shard={key}/**/*") if path.is_file()}


def test_every_materialization_is_of_what_is_stored(deployment: Deployment) -> None:
    """After all that was killed: every shard of every table is materialized, with as many rows as the table holds."""
    from lgt_assets.assets.upstream import ROW_COUNT
    from lgt_assets.checks.evaluation import latest_materialization
    from lgt_assets.storage import DeltaStore

    store, keys = DeltaStore(str(deployment.state / "tables")), [shard(number) for number in range(SHARDS)]
    with deployment.instance() as instance:
        for table in ASSETS:
            rows = store.read(table)
            first = rows.columns[[name.endswith("_id") for name in rows.columns].index(True)]
            assert rows[first].n_unique() == rows.height
            for key in keys:
                record = latest_materialization(instance, table, key)
                count = record.asset_materialization.metadata[ROW_COUNT].value
                assert count == rows.filter(rows["shard"] == key).height, (table, key)
