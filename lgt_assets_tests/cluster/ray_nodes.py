"""Real `ray start` on this machine: a head and a worker node, each with one logical GPU, token authentication on."""

import json
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from lgt_assets_tests.cluster.processes import NODE, Processes, free_port, kill
from lgt_assets_tests.dagit import wait_until

HEAD, WORKER = "head", "worker"
OBJECT_STORE_BYTES = 100_000_000  # nothing is put into it: completions and tables go by files


class RayCluster:
    """Two nodes; every process of a node has its name in the environment."""

    def __init__(self, processes: Processes, folder: Path, environment: dict[str, str], dashboard: int) -> None:
        self.processes, self.folder = processes, folder
        self.port = free_port()
        self.environment = environment | {
            # Quiet, and quick to notice a node that is gone, which refuses at once; one that is only slow has more time.
            "RAY_USAGE_STATS_ENABLED": "0", "RAY_health_check_period_ms": "1000", "RAY_health_check_timeout_ms": "10000",
            "RAY_health_check_failure_threshold": "3", "RAY_DISABLE_IMPORT_WARNING": "1",
        }  # fmt: skip
        self.address = f"http://127.0.0.1:{dashboard}"
        self._start(
            HEAD, "--head", "--port", str(self.port), "--dashboard-port", str(dashboard), "--include-dashboard=true"
        )
        wait_until(lambda: self.nodes_alive() == 1, 240, f"the head node; see {processes.folder}/ray-head.log")

    def start_worker(self) -> None:
        """Start the second node, and wait until it is one of the cluster."""
        before = self.nodes_alive()
        self._start(WORKER, "--address", f"127.0.0.1:{self.port}")
        wait_until(lambda: self.nodes_alive() == before + 1, 240, "the worker node")
        wait_until(self.takes_jobs, 240, "an agent that takes jobs: it starts after its node is alive")

    def raylet(self, node: str) -> psutil.Process:
        """The node's raylet: who is dead for Ray once it is."""
        (found,) = [one for one in self.processes.of_node(node) if one.name() == "raylet"]
        return found

    def end_node(self, node: str) -> None:
        """Kill everything of a node, and wait until the cluster knows."""
        while found := self.processes.of_node(node):
            for process in found:
                kill(process)
            psutil.wait_procs(found, timeout=10)

    def takes_jobs(self) -> bool:
        """Whether a job could be handed in; it does nothing."""
        try:
            self.ask("/api/jobs/", body={"entrypoint": "true"})
        except OSError:  # as long as no agent has registered, the web server answers 500
            return False
        return True

    def nodes_alive(self) -> int:
        """Nodes that the head takes for alive; 0 if it does not answer."""
        try:
            found = self.ask("/api/v0/nodes?limit=100")["data"]["result"]["result"]
        except OSError:
            return 0
        return sum(node["state"] == "ALIVE" for node in found)

    def ask(self, path: str, *, token: str | None = None, body: dict | None = None) -> Any:
        """What the head's web server answers to who brings ``token``, by default the right one; with ``body`` it is a POST."""
        token = self.environment["RAY_AUTH_TOKEN"] if token is None else token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    @contextmanager
    def gpu_held(self, node: str) -> Iterator[None]:
        """While another job has the node's GPU: what wants one is placed elsewhere."""
        job = {
            "entrypoint": "sleep 600", "entrypoint_num_gpus": 1, "entrypoint_resources": {node: 1},
            "submission_id": f"holds-{node}-{secrets.token_hex(4)}",
        }  # fmt: skip
        path = f"/api/jobs/{job['submission_id']}"
        self.ask("/api/jobs/", body=job)
        wait_until(lambda: self.ask(path)["status"] == "RUNNING", 240, "a job that holds the GPU")
        try:
            yield
        finally:
            self.ask(f"{path}/stop", body={})
            wait_until(lambda: self.ask(path)["status"] == "STOPPED", 240, "the end of the job that holds the GPU")

    def node_of_run(self, run_id: str) -> str:
        """Id of the node that a run's job was placed on."""
        return self.ask(f"/api/jobs/dagster-run-{run_id}")["driver_node_id"]

    def _start(self, node: str, *arguments: str) -> None:
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
        ray += [
            "--num-cpus",
            "2",
            "--num-gpus",
            "1",
            "--resources",
            json.dumps({node: 1}),
            "--object-store-memory",
            str(OBJECT_STORE_BYTES),
        ]
        ray += ["--node-ip-address", "127.0.0.1", "--log-color", "false", *arguments]
        # By default every node of a machine wants one port, and an agent that does not get it takes no jobs.
        ray += ["--dashboard-agent-listen-port", str(free_port())]
        if node == HEAD:
            ray += ["--temp-dir", str(self.folder)]
        self.processes.start(f"ray-{node}", ray, self.environment | {NODE: node})
