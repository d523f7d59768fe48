"""A whole deployment of deploy/cluster-ray on this machine: Postgres, Ray, code server, daemon, Dagit, and a model's server."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import yaml

from benchmarks.crash import write_profile
from benchmarks.crash_parts.materialize import MEASURED
from lgt_assets.instance_files import configuration_of
from lgt_assets.storage import DeltaStore, canonical_rows
from lgt_assets_tests.cluster.postgres import Postgres
from lgt_assets_tests.cluster.processes import Processes, free_port
from lgt_assets_tests.cluster.ray_nodes import RayCluster
from lgt_assets_tests.dagit import DAEMON, Dagit, answers, wait_until

# As far as models are asked in the shape that all later stages have; more would take longer, and show nothing else.
ASSETS = ["images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots"]
WRITTEN = [*ASSETS, "rejections", "failures", "generations"]
SHARDS, SCENES = 8, 2
SOURCE = "scenes"
REPOSITORY = Path(__file__).parents[2]


def shard(number: int) -> str:
    """Key of a shard."""
    return f"{SOURCE}-{number:05d}"


class Deployment:
    """Everything runs after :meth:`start`; :meth:`end` leaves nothing.

    Args:
        folder: short, as sockets lie below it.
        delay: seconds that the model takes to answer.
    """

    def __init__(self, folder: Path, delay: float) -> None:
        self.folder, self.processes = folder, Processes(folder)
        self.state, self.log = folder / "state", folder / "requests.log"
        self.delay = delay

    def start(self) -> None:
        """Start all of it, and add the shards."""
        folder = self.folder
        self.log.touch()
        self.postgres = Postgres(self.processes, folder / "postgres")
        write_profile(folder / "rule.yaml", self._model_server("model", self.delay, self.log))
        self.environment = dict(os.environ) | {
            "LGT_STATE": str(self.state), "DAGSTER_HOME": str(self.state / "dagster"),
            "LGT_PROFILE": str(folder / "rule.yaml"), "LGT_POSTGRES_URL": self.postgres.new_database("dagster"),
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16), "PYTHONPATH": str(REPOSITORY),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore",
            "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2",
        }  # fmt: skip
        dashboard = free_port()
        self.environment["LGT_RAY_ADDRESS"] = f"http://127.0.0.1:{dashboard}"
        self.ray = RayCluster(self.processes, folder / "ray", self.environment, dashboard)
        self.ray.start_worker()
        self._configure()
        self.lgt("sources", "add", SOURCE, "--kind", "scenes", "--count", str(SHARDS * SCENES), "--seed", "0",
                 "--shard-size", str(SCENES))  # fmt: skip
        self._start_dagster()

    def _configure(self) -> None:
        """The shipped instance, with shorter waits."""
        home = self.state / "dagster"
        home.mkdir(parents=True)
        configuration = yaml.safe_load(configuration_of("cluster-ray"))
        configuration["run_monitoring"]["poll_interval_seconds"] = 2
        configuration["run_coordinator"]["config"]["dequeue_interval_seconds"] = 1
        (home / "dagster.yaml").write_text(yaml.safe_dump(configuration))

    def _model_server(self, name: str, delay: float, log: Path | None) -> int:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.crash_parts.answering_server"]
        command += ["--delay", str(delay), "--port", str(port), *(["--log", str(log)] if log else [])]
        self.processes.start(name, command, os.environ | {"PYTHONPATH": str(REPOSITORY)})
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), 60, "the model's server")
        return port

    def _start_dagster(self) -> None:
        code, web = free_port(), free_port()
        workspace = self.folder / "workspace.yaml"
        server = {"host": "127.0.0.1", "port": code, "location_name": "lgt_assets.definitions"}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        dagster = [sys.executable, "-m", "dagster"]
        location = ["-m", "lgt_assets.definitions", "-h", "127.0.0.1", "-p", str(code)]
        self.processes.start("code", [*dagster, "api", "grpc", *location], self.environment)
        check = [*dagster, "api", "grpc-health-check", "-p", str(code)]
        wait_until(lambda: subprocess.run(check, env=self.environment, capture_output=True, check=False).returncode == 0,
                   120, "the code server")  # fmt: skip
        program = ["-m", "dagster_webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(web)]
        self.processes.start("dagit", [sys.executable, *program], self.environment)
        self.start_daemon()
        self.dagit = Dagit(f"http://127.0.0.1:{web}")
        wait_until(lambda: answers(f"{self.dagit.url}/server_info"), 120, "Dagit")

    def start_daemon(self) -> None:
        """Start the daemon, which launches, watches and resumes runs."""
        command = [sys.executable, "-c", DAEMON.format(2), "run", "-w", str(self.folder / "workspace.yaml")]
        self.daemon = psutil.Process(self.processes.start("daemon", command, self.environment).pid)

    def lgt(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """What an `lgt` command prints."""
        command = [sys.executable, "-m", "lgt_assets.cli", *arguments]
        done = subprocess.run(
            command, env=environment or self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def expected(self) -> dict[str, dict[str, str]]:
        """Rows of every table by shard, as the instance `laptop` makes them in one process, undisturbed."""
        alone = self.folder / "alone"
        write_profile(self.folder / "alone.yaml", self._model_server("model-alone", 0.0, None))
        own = {name: value for name, value in self.environment.items() if name != "DAGSTER_HOME"}
        own |= {"LGT_STATE": str(alone), "LGT_PROFILE": str(self.folder / "alone.yaml")}
        self.lgt("sources", "add", SOURCE, "--kind", "scenes", "--count", str(SHARDS * SCENES), "--seed", "0",
                 "--shard-size", str(SCENES), environment=own)  # fmt: skip
        self.lgt("run", "--select", ",".join(ASSETS), environment=own)
        return {shard(n): rows_by_table(alone, shard(n)) for n in range(SHARDS)}

    def rows(self, key: str) -> dict[str, str]:
        """Rows of every table in a shard."""
        return rows_by_table(self.state, key)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance, as a process of the deployment sees it."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            with dg.DagsterInstance.get() as instance:
                yield instance
        finally:
            os.environ.clear()
            os.environ.update(before)

    def launch(self, keys: Sequence[str]) -> list[str]:
        """One backfill of all partitioned assets for each shard; ids of the backfills."""
        return [self.dagit.launch_backfill(ASSETS, [key]) for key in keys]

    def finish(self, backfills: Sequence[str], seconds: float = 400) -> None:
        """Wait until they are over; all must have succeeded."""
        for backfill in backfills:
            state = self.dagit.finished_backfill(backfill, seconds=seconds)
            assert state["status"] == "COMPLETED_SUCCESS", self.failures(backfill)

    def failures(self, backfill: str) -> list[str]:
        """What the events of a backfill's runs say of failures."""
        kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
        with self.instance() as instance:
            runs = instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))
            events = [entry for run in runs for entry in instance.all_logs(run.run_id, of_type=kinds)]
        return [str(entry.dagster_event.event_specific_data)[-3000:] for entry in events if entry.dagster_event]

    def requests(self) -> list[str]:
        """Hashes of the requests that reached the model's server since :meth:`forget`."""
        return self.log.read_text().split()

    def repeated(self) -> int:
        """How many of them came more than once."""
        return len(self.requests()) - len(set(self.requests()))

    def forget(self) -> None:
        """Count requests from here."""
        os.truncate(self.log, 0)

    def end(self) -> None:
        """End every process."""
        self.processes.end_all()


def rows_by_table(state: Path, key: str) -> dict[str, str]:
    """Rows of every table in a shard as text, without what a clock measured and where the state lies."""
    store = DeltaStore(str(state / "tables"))
    found = {}
    for table in WRITTEN:
        rows = store.read(table, shards=[key]).drop(MEASURED, strict=False)
        found[table] = canonical_rows(rows).replace(str(state), "STATE")
    return found


def engine_events(instance: dg.DagsterInstance, run_id: str) -> list[tuple[float, str]]:
    """Times and messages of a run's engine events."""
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    return [(record.timestamp, record.dagster_event.message or "") for record in records if record.dagster_event]
