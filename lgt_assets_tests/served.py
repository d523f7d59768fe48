"""A state, a server that answers by rule, and the real web server and daemon on them; what Dagit's buttons do, by GraphQL."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import polars as pl
import yaml
from deltalake import write_deltalake

from benchmarks.crash import write_profile
from lgt_assets.checks.evaluation import latest_materialization
from lgt_assets.instance import prepare_environment
from lgt_assets.prompts.templates import PROMPTS_FOLDER
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.dagit import Dagit, running_dagit, wait_until
from lgt_assets_tests.planted import environment_of

LAUNCH_RUN = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) { ... on Run { status eventConnection(limit: 5000) { events {
    __typename
    ... on ExecutionStepFailureEvent { stepKey failureMetadata { description } }
  } } } }
}"""
CANCEL = """
mutation Cancel($id: String!) {
  cancelPartitionBackfill(backfillId: $id) { __typename ... on PythonError { message } }
}"""
REEXECUTE = """
mutation Reexecute($params: ReexecutionParams!) {
  reexecutePartitionBackfill(reexecutionParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
STALENESS = """
query Stale($keys: [AssetKeyInput!], $shard: String!) {
  assetNodes(assetKeys: $keys) {
    assetKey { path } staleStatus(partition: $shard) staleCauses(partition: $shard) { category reason }
  }
}"""
PARTITIONS = """
query Partitions($keys: [AssetKeyInput!]) {
  assetNodes(assetKeys: $keys) {
    assetKey { path }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions failedPartitions unmaterializedPartitions
    } }
  }
}"""
CHECKS = """
query Checks($key: AssetKeyInput!, $name: String!, $shard: String!) {
  assetCheckExecutions(assetKey: $key, checkName: $name, limit: 1, partition: $shard) {
    status evaluation { success severity description metadataEntries { label ... on FloatMetadataEntry { floatValue }
    ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } }
  }
}"""
RELOAD = """
mutation Reload($name: String!) {
  reloadRepositoryLocation(repositoryLocationName: $name) { __typename ... on PythonError { message } }
}"""
START_SENSOR = """
mutation Start($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) { __typename ... on PythonError { message } }
}"""
LOCATION = "lgt_assets.definitions"
REPOSITORY = "__repository__"


class Served:
    """Dagit on a state of its own, with the profile, the prompts, and the log of requests to the model's server."""

    def __init__(self, folder: Path, dagit: Dagit, log: Path, server: subprocess.Popen) -> None:
        self.folder, self.dagit, self.log, self.server = folder, dagit, log, server
        self.state, self.prompts = folder / "state", folder / "prompts"

    @property
    def store(self) -> DeltaStore:
        return DeltaStore(str(self.state / "tables"))

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with environment_of(self.state, str(self.folder / "rule.yaml")):
            os.environ["DAGSTER_HOME"] = str(self.state / "dagster")
            with dg.DagsterInstance.get() as instance:
                yield instance

    @contextmanager
    def answers_withheld(self) -> Iterator[None]:
        """The model's server stands still meanwhile, so that no run gets on, however slow the rest of the machine is."""
        self.server.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.send_signal(signal.SIGCONT)

    def add_scenes(self, name: str, count: int, *, seed: int, shard_size: int = 1) -> list[str]:
        """`lgt sources add`, by another process than Dagit's; the new shards."""
        said = lgt(
            self.folder, "sources", "add", name, "--kind", "scenes", "--count", str(count), "--seed", str(seed),
            "--shard-size", str(shard_size), "--json",
        )  # fmt: skip
        return json.loads(said.strip().splitlines()[-1])["shards"]

    def launch_run(
        self, assets: Sequence[str], first: str, last: str, *, checks: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[str, str]:
        """One run over a range of shards, as the launchpad starts it; its status and what its failed steps said.

        Args:
            checks: of no asset that is made, to be evaluated alone.
        """
        keys = [{"path": [name]} for name in assets]
        chosen = [{"assetKey": {"path": [a]}, "name": name} for a, names in (checks or {}).items() for name in names]
        params = {
            "selector": {
                "repositoryName": REPOSITORY, "repositoryLocationName": LOCATION, "pipelineName": "__ASSET_JOB",
                "assetSelection": keys, "assetCheckSelection": chosen or None,
            },
            "executionMetadata": {"tags": [
                {"key": "dagster/asset_partition_range_start", "value": first},
                {"key": "dagster/asset_partition_range_end", "value": last},
            ]},
        }  # fmt: skip
        launched = self.dagit.query(LAUNCH_RUN, {"params": params})["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return self.finished_run(launched["run"]["runId"])

    def finished_run(self, run_id: str, seconds: float = 120) -> tuple[str, str]:
        """Status of a run once it is over, and what its failed steps said."""

        def over() -> dict | None:
            run = self.dagit.query(RUN, {"id": run_id})["runOrError"]
            return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

        run = wait_until(over, seconds, f"run {run_id}")
        said = [
            event["failureMetadata"]["description"]
            for event in run["eventConnection"]["events"]
            if event["__typename"] == "ExecutionStepFailureEvent" and event["failureMetadata"]
        ]
        return run["status"], "\n".join(said)

    def partitions(self, asset: str, shards: Sequence[str]) -> dict[str, set[str]]:
        """What Dagit's bar says of those shards: materialized, failed, unmaterialized."""
        node = self.dagit.query(PARTITIONS, {"keys": [{"path": [asset]}]})["assetNodes"][0]
        return {
            name.removesuffix("Partitions"): set(keys) & set(shards)
            for name, keys in node["assetPartitionStatuses"].items()
        }

    def check(self, asset: str, name: str, shard: str) -> dict | None:
        """The latest execution of a check of one shard, as Dagit shows it."""
        found = self.dagit.query(CHECKS, {"key": {"path": [asset]}, "name": name, "shard": shard})
        return next(iter(found["assetCheckExecutions"]), None)

    def stale(self, assets: Sequence[str], shard: str) -> dict[str, tuple[str, list[str]]]:
        """Status and categories of the causes, by asset."""
        nodes = self.dagit.query(STALENESS, {"keys": [{"path": [name]} for name in assets], "shard": shard})
        return {
            node["assetKey"]["path"][0]: (
                node["staleStatus"],
                sorted(cause["category"] for cause in node["staleCauses"]),
            )
            for node in nodes["assetNodes"]
        }

    def reload(self) -> None:
        """The button that loads the code location anew."""
        said = self.dagit.query(RELOAD, {"name": LOCATION})["reloadRepositoryLocation"]
        assert said["__typename"] == "WorkspaceLocationEntry", said

    def start_sensor(self, name: str) -> None:
        selector = {"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION, "sensorName": name}
        said = self.dagit.query(START_SENSOR, {"selector": selector})["startSensor"]
        assert said["__typename"] == "Sensor", said

    def slices(self, tables: Sequence[str], shards: Sequence[str]) -> dict[tuple[str, str], tuple]:
        """Rows, files and the latest materialization of every slice."""
        with self.instance() as instance:
            return {
                (table, shard): (
                    self.store.read(table, shards=[shard]).rows(), self.store.slice_version(table, shard),
                    latest_materialization(instance, table, shard).storage_id,
                )
                for table in tables
                for shard in shards
            }  # fmt: skip

    def asked(self) -> list[str]:
        """A hash of every request that reached the model's server."""
        return self.log.read_text().split()

    def poison(self, table: str, shard: str, **values: object) -> None:
        """Bad rows, written to Delta behind everybody's back."""
        rows = self.store.read(table, shards=[shard])
        bad = rows.with_columns(**{name: pl.lit(value, dtype=rows.schema[name]) for name, value in values.items()})
        write_deltalake(self.store.uri(table), bad, mode="overwrite", predicate=f"shard = '{shard}'")


def environment(folder: Path) -> dict[str, str]:
    """Variables of a process that works on the state in ``folder``."""
    return {"LGT_STATE": str(folder / "state"), "LGT_PROFILE": str(folder / "rule.yaml")}


def lgt(folder: Path, *arguments: str) -> str:
    """Standard output of one `lgt` command."""
    variables = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"} | environment(folder)
    command = [sys.executable, "-m", "lgt_assets.cli", *arguments]
    return subprocess.run(command, env=variables, check=True, capture_output=True, text=True, timeout=120).stdout


@contextmanager
def serving(folder: Path, *, delay: float = 0.0) -> Iterator[Served]:
    """Everything started below ``folder``, and stopped at the end.

    Args:
        delay: seconds that the model takes to answer.
    """
    log = folder / "requests.log"
    command = [
        sys.executable,
        "-m",
        "benchmarks.crash_parts.answering_server",
        "--delay",
        str(delay),
        "--log",
        str(log),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    try:
        assert server.stdout is not None
        write_profile(folder / "rule.yaml", json.loads(server.stdout.readline())["port"])
        shutil.copytree(PROMPTS_FOLDER / "embedded", folder / "prompts")
        profile = yaml.safe_load((folder / "rule.yaml").read_text()) | {"prompts": str(folder / "prompts")}
        (folder / "rule.yaml").write_text(yaml.safe_dump(profile))
        with environment_of(folder / "state", str(folder / "rule.yaml")):
            prepare_environment()
            # Its databases are made by one process: two that make them at once spoil them.
            with dg.DagsterInstance.get() as instance:
                instance.get_runs(limit=1)
                instance.all_instigator_state()
        with running_dagit(folder / "state", folder / "dagit.log", environment(folder), pause_seconds=2) as dagit:
            yield Served(folder, dagit, log, server)
    finally:
        server.kill()
        server.wait()
