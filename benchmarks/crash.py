"""Runs that are killed, and what is left of them: after a rerun to the end, the tables against those of an undisturbed run.

Every asset of a shard of rendered scenes is made through Dagster against a server that answers by rule (crash_parts/), so the
rows of two runs can be compared as text, byte for byte; columns that a clock measured are left out. *Repeated* counts requests
that reached the server more than once; each counts for the kill that ended the run in which it came before. At each kill at
most ``IN_FLIGHT`` are in the engine's hand, at the server or answered and not yet journalled, and no kill may cost more.
"""

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.crash_parts.answering_server import MODEL
from benchmarks.crash_parts.processes import Server, Worker

IN_FLIGHT = 8
KILLS_A_ROUND = 10
FULL_DISK_KIB = 64  # full within the first stage
BY_REQUESTS = 0.7  # share of kills after a random number of requests: most of the time goes to tables, not to requests
MOST_REQUESTS = 40


@dataclass
class Bench:
    """A state folder that can be put back to its beginning, and the digests to be reached."""

    folder: Path
    server: Server
    generator: random.Random
    seconds: float = 0.0
    wanted: dict = field(default_factory=dict)
    ready: Worker | None = None

    @property
    def state(self) -> Path:
        """Always the same path: rows name their pictures by it."""
        return self.folder / "state"

    def environment(self) -> dict[str, str]:
        """Of a worker."""
        return os.environ | {
            "LGT_STATE": str(self.state), "LGT_PROFILE": str(self.folder / "crash.yaml"),
            "DAGSTER_HOME": str(self.state / "dagster"), "PYTHONPATH": str(Path(__file__).parents[1]),
            "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2",
        }  # fmt: skip

    def worker(self) -> Worker:
        """A loaded worker; the next one begins to load."""
        worker, self.ready = self.ready or Worker(self.environment()), Worker(self.environment())
        assert worker.answer() == {"ready": True}
        return worker

    def prepare(self, scenes: int) -> None:
        """Register the source, run undisturbed once, note rows and seconds."""
        write_profile(self.folder / "crash.yaml", self.server.port)
        worker = self.worker()
        worker.obey(f"register {scenes}")
        worker.end()
        shutil.copytree(self.state, self.folder / "beginning")
        started = time.monotonic()
        self.wanted = self.finish(self.worker())
        self.seconds = time.monotonic() - started
        assert min(self.wanted["rows"][name] for name in ("expanded_traces", "preference_pairs", "sft_mix")) > 0, (
            self.wanted
        )

    def reset(self) -> None:
        """Back to the beginning."""
        shutil.rmtree(self.state)
        shutil.copytree(self.folder / "beginning", self.state)
        self.server.forget()

    def finish(self, worker: Worker) -> dict:
        """Run to the end; the digests."""
        answer = worker.obey("run")
        assert answer == {"failures": []}, answer
        digests = worker.obey("digest")
        worker.end()
        return digests

    def kill(self, number: int) -> bool:
        """Start a run and end it at a random moment, of time or of requests sent; False if it was done before."""
        worker = self.worker()
        worker.tell("run")
        if self.generator.random() < BY_REQUESTS:
            last = self.server.counts()[0] + self.generator.randrange(MOST_REQUESTS)
            while self.server.counts()[0] < last and not _has_line(worker):
                time.sleep(0.01)
        else:
            time.sleep(self.generator.uniform(0, self.seconds))
        done = _has_line(worker)
        worker.end(number)
        self.server.settle()
        return not done

    def row(self, scenario: str, kills: int, bound: int, repeated: int, equal: bool, **more: object) -> dict:
        """One row of the table."""
        figures = {"kills": kills, "repeated": repeated, "in_flight_bound": bound, "tables_equal": equal}
        return {"scenario": scenario} | figures | {"held": equal and repeated <= bound} | more


def _has_line(worker: Worker) -> bool:
    import select

    return bool(select.select([worker.process.stdout], [], [], 0)[0])


def write_profile(path: Path, port: int) -> None:
    """The embedded profile with the server in all roles, less what a rule cannot answer."""
    from lgt_assets.settings import PROFILES_FOLDER

    profile = yaml.safe_load((PROFILES_FOLDER / "embedded.yaml").read_text(encoding="utf-8"))
    profile["name"] = "crash"
    profile["compose"] |= {"kinds_from": "answers", "per_image": 1}
    profile["models"] = {
        "small": {
            "engine": "openai_server", "model": MODEL, "revision": "1", "endpoints": [f"http://127.0.0.1:{port}/v1"],
            "in_flight": IN_FLIGHT, "attempts": 3, "backoff_cap_seconds": 0.2, "outage_seconds": 2.0,
        }
    }  # fmt: skip
    path.write_text(yaml.safe_dump(profile), encoding="utf-8")


def killed(bench: Bench, name: str, number: int, kills: int) -> dict:
    """Rounds of kills, each from the beginning to the end."""
    done = repeated = most = rounds = 0
    equal = True
    while done < kills:
        bench.reset()
        rounds += 1
        ends: list[int] = []
        while len(ends) < min(KILLS_A_ROUND, kills - done) and bench.kill(number):
            ends.append(bench.server.counts()[0])
        done += len(ends)
        equal = bench.finish(bench.worker()) == bench.wanted and equal
        repeats = bench.server.repeated_after(ends)
        repeated += sum(repeats)
        most = max(most, *repeats)
        print(f"{name}: {done} of {kills} kills, {repeated} requests repeated, tables equal: {equal}", file=sys.stderr)
    row = bench.row(name, done, done * IN_FLIGHT, repeated, equal, most_after_one_kill=most, rounds=rounds)
    return row | {"held": row["held"] and most <= IN_FLIGHT}


def server_killed(bench: Bench, kills: int) -> dict:
    """The server goes away in the middle of a run and comes back after the run has given up."""
    equal, repeated, gave_up = True, 0, 0
    for _turn in range(kills):
        bench.reset()
        worker = bench.worker()
        worker.tell("run")
        time.sleep(bench.generator.uniform(0.1, 0.6) * bench.seconds)
        bench.server.kill()
        answer = worker.answer()
        gave_up += bool(answer and answer["failures"])
        worker.end()
        bench.server.start()
        equal = bench.finish(bench.worker()) == bench.wanted and equal
        total, distinct = bench.server.counts()
        repeated += total - distinct
    return bench.row("server killed", kills, kills * IN_FLIGHT, repeated, equal, runs_failed=gave_up)


def disk_full(bench: Bench) -> dict | None:
    """The response store lies on a tmpfs that fills up; then it is made larger. None where none can be mounted."""
    bench.reset()
    store = bench.state / "responses"
    store.mkdir(parents=True)
    if _mount(f"size={FULL_DISK_KIB}k", store):
        return None
    try:
        worker = bench.worker()
        failures = worker.obey("run")["failures"]
        worker.end()
        _mount("remount,size=64m", store)
        equal = bench.finish(bench.worker()) == bench.wanted
        total, distinct = bench.server.counts()
    finally:
        subprocess.run(["umount", str(store)], check=True)
    told = any("make room" in failure or "sealed" in failure for failure in failures)
    row = bench.row("disk full (tmpfs)", 1, IN_FLIGHT, total - distinct, equal, told=told)
    return row | {"held": row["held"] and told}


def _mount(options: str, folder: Path) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "lgt-crash", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode


def two_at_once(bench: Bench) -> dict:
    """Two runs of the same shard side by side: both may ask for everything, and neither spoils the other's rows."""
    bench.reset()
    workers = [bench.worker(), bench.worker()]
    for worker in workers:
        worker.tell("run")
    answers = [worker.answer() for worker in workers]
    for worker in workers:
        worker.end()
    equal = bench.finish(bench.worker()) == bench.wanted
    total, distinct = bench.server.counts()
    failed = sum(bool(answer is None or answer["failures"]) for answer in answers)
    return bench.row("two runs at once", 0, distinct, total - distinct, equal, runs_failed=failed)


def measure(kills: int, others: int, seed: int, scenes: int, delay: float) -> dict:
    """All scenarios."""
    with tempfile.TemporaryDirectory(prefix="lgt-crash-") as folder:
        server = Server(Path(folder) / "requests.log", delay)
        bench = Bench(Path(folder), server, random.Random(seed))
        try:
            bench.prepare(scenes)
            scenarios: list[Callable[[], dict | None]] = [
                lambda: killed(bench, "SIGKILL", signal.SIGKILL, kills),
                lambda: killed(bench, "SIGTERM", signal.SIGTERM, others),
                lambda: server_killed(bench, others),
                lambda: disk_full(bench),
                lambda: two_at_once(bench),
            ]
            rows = [row for scenario in scenarios if (row := scenario())]
        finally:
            server.kill()
            if bench.ready is not None:
                bench.ready.end()
    first = {
        name: rows[0][name] for name in ("kills", "repeated", "in_flight_bound", "tables_equal", "most_after_one_kill")
    }
    measured = {row["scenario"] for row in rows}
    return first | {
        "seed": seed, "in_flight": IN_FLIGHT, "all_held": all(row["held"] for row in rows), "scenarios": rows,
        "not_measured": [] if any("disk" in name for name in measured) else ["disk full: no tmpfs can be mounted here"],
    }  # fmt: skip


def main() -> None:
    """Print the table; with --json also one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs")
    parser.add_argument("--others", type=int, default=5, help="SIGTERMs, and times that the server is killed")
    parser.add_argument("--seed", type=int, default=None, help="of the moments; printed")
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--delay", type=float, default=0.03, help="seconds that an answer takes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", file=sys.stderr, flush=True)
    figures = measure(arguments.kills, arguments.others, seed, arguments.scenes, arguments.delay)
    print(f"{'scenario':<20}{'kills':>6}{'repeated':>10}{'at most':>9}  tables equal")
    for row in figures["scenarios"]:
        counts = f"{row['kills']:>6}{row['repeated']:>10}{row['in_flight_bound']:>9}"
        print(f"{row['scenario']:<20}{counts}  {row['tables_equal']}")
    for text in figures["not_measured"]:
        print(f"not measured: {text}")
    if arguments.json:
        print(json.dumps(figures))
    sys.exit(0 if figures["all_held"] else 1)


if __name__ == "__main__":
    main()
