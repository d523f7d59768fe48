"""The real web server and daemon as processes of their own, driven over GraphQL like Dagit does."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LAUNCH_BACKFILL = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}"""
BACKFILL_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } assetBackfillData { assetBackfillStatuses {
      ... on AssetPartitionsStatusCounts { assetKey { path } numPartitionsTargeted numPartitionsMaterialized numPartitionsFailed }
      ... on UnpartitionedAssetStatus { assetKey { path } materialized failed }
    } } }
  }
}"""
DAEMON = (
    "import dagster._daemon.controller as controller; controller.DEFAULT_DAEMON_INTERVAL_SECONDS = {}; "
    "from dagster._daemon.cli import main; main()"
)
FINISHED = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> object:
    """The first true value of ``condition``, polled until ``seconds`` are over."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        pause.wait(0.3)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


@dataclass(frozen=True)
class Dagit:
    """A running web server."""

    url: str

    def query(self, text: str, variables: Mapping | None = None) -> dict:
        """Answer of one GraphQL operation."""
        body = json.dumps({"query": text, "variables": variables or {}}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def backfill(self, assets: list[str], shards: list[str], *, seconds: float = 300) -> dict:
        """Launch a backfill as the button does, and wait for its end; its final state."""
        return self.finished_backfill(self.launch_backfill(assets, shards), seconds=seconds)

    def launch_backfill(self, assets: list[str], shards: list[str]) -> str:
        """Launch a backfill as the button does; its id."""
        params = {"assetSelection": [{"path": [name]} for name in assets], "partitionNames": shards}
        launched = self.query(LAUNCH_BACKFILL, {"params": params})["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def finished_backfill(self, backfill_id: str, *, seconds: float = 300) -> dict:
        """The final state of a backfill, once it is over."""

        def finished() -> dict | None:
            state = self.query(BACKFILL_STATUS, {"id": backfill_id})["partitionBackfillOrError"]
            return state if state.get("status") in FINISHED else None

        return wait_until(finished, seconds, f"backfill {backfill_id}")


def answers(address: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running_dagit(
    state: Path, log: Path, environment: Mapping[str, str], *, pause_seconds: int = 30
) -> Iterator[Dagit]:
    """Web server and daemon on the instance in ``state``; their output goes to ``log``.

    Args:
        pause_seconds: how long the daemon waits before it looks after backfills again; Dagster has no setting for it.
    """
    port = _free_port()
    variables = dict(os.environ) | dict(environment) | {"LGT_STATE": str(state), "DAGSTER_HOME": str(state / "dagster")}
    programs = [
        ["-m", "dagster_webserver", "-m", "lgt_assets.definitions", "-h", "127.0.0.1", "-p", str(port)],
        ["-c", DAEMON.format(pause_seconds), "run", "-m", "lgt_assets.definitions"],
    ]
    with log.open("wb") as output:
        processes = [
            subprocess.Popen(
                [sys.executable, *program], env=variables, stdout=output, stderr=output, start_new_session=True
            )
            for program in programs
        ]
        try:
            dagit = Dagit(f"http://127.0.0.1:{port}")
            wait_until(lambda: answers(f"{dagit.url}/server_info"), 120, f"web server; see {log}")
            yield dagit
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGTERM)
            for process in processes:
                process.wait(60)
