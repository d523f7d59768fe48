"""Processes of a test cluster: started with a mark in their environment, by which all of them can be found and ended."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "LGT_TEST_CLUSTER"
NODE = "LGT_TEST_NODE"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class RunProcess:
    """A process that executes a Dagster run: its number, its run, and the node it runs on."""

    process: psutil.Process
    run_id: str
    node: str


class Processes:
    """Starts processes and finds them again, with all their descendants, whoever started those."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, folder.name + str(os.getpid())

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], **options: object
    ) -> subprocess.Popen:
        """Start one; its output goes to NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                command, env=dict(environment) | {MARK: self.mark}, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                start_new_session=True, **options,
            )  # fmt: skip

    def all(self) -> Iterator[tuple[psutil.Process, dict[str, str], list[str]]]:
        """Every living process of the cluster, with its environment and command."""
        for process in psutil.process_iter():
            try:
                environment = process.environ()
                if environment.get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    yield process, environment, process.cmdline()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue

    def of_node(self, node: str, word: str = "") -> list[psutil.Process]:
        """Those that a node started and whose command has ``word``."""
        return [
            process
            for process, environment, command in self.all()
            if environment.get(NODE) == node and word in " ".join(command)
        ]

    def runs(self) -> list[RunProcess]:
        """Those that execute runs: the Python processes, not the shells that Ray starts them with."""
        found = []
        for process, environment, command in self.all():
            if {"execute_run", "resume_run"} & set(command):
                found.append(RunProcess(process, _run_id(command[-1]), environment.get(NODE, "")))
        return found

    def end_all(self) -> None:
        """Kill every process of the cluster; those that they start meanwhile as well."""
        while found := [process for process, _environment, _command in self.all()]:
            for process in found:
                kill(process)
            psutil.wait_procs(found, timeout=10)


def kill(process: psutil.Process, number: int = signal.SIGKILL) -> None:
    """Send a signal, if the process is still there."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _run_id(arguments: str) -> str:
    return json.loads(arguments)["pipeline_run_id"]
