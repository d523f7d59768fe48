"""`lgt serve` as a process, with a stand-in server (`stand_in_server.py`) in the place of vLLM."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml

from lgt_assets.engines.endpoint_settings import read_endpoints
from lgt_assets.engines.openai_server import OpenaiServerEngine
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets_tests.engines.test_openai_server import REQUESTS, completed

SECONDS = 60.0
PROFILE = {
    "name": "served", "prompts": "lgt",
    "models": {
        "vision": {"engine": "vllm_offline", "model": "nobody/vision", "revision": "1"},
        "reasoning": {"engine": "openai_server", "model": "nobody/reasoning", "revision": "1",
                      "endpoints_file": "servers/reasoning.yaml", "devices_per_endpoint": 2},
    },
    "roles": {"vlm": {"model": "vision"}, "reasoner": {"model": "reasoning"}},
}  # fmt: skip


def free_ports(number: int) -> int:
    """The first of so many neighbouring ports where nobody listens just now."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for further in range(1, number):
                    with socket.socket() as other:
                        other.bind(("127.0.0.1", port + further))
            except OSError:
                continue
            return port


class Serving:
    """A running `lgt serve`."""

    def __init__(self, folder: Path, *options: str, stand_in: str = "", models: dict | None = None) -> None:
        self.state, self.pids_file = folder / "state", folder / "pids"
        profile = folder / "served.yaml"
        profile.write_text(yaml.safe_dump(PROFILE | ({"models": models} if models else {}), sort_keys=False))
        stand_in = f"{sys.executable} -m lgt_assets_tests.serving.stand_in_server --pids {self.pids_file} {stand_in}"
        self.port = free_ports(2)
        command = [sys.executable, "-m", "lgt_assets.cli", "serve", "--profile", str(profile), "--port", str(self.port)]
        environment = os.environ | {"LGT_STATE": str(self.state), "LGT_SERVE_COMMAND": stand_in}
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    def ready(self, number: int) -> list[str]:
        """The lines that name healthy servers."""
        assert self.process.stdout is not None
        return sorted(self.process.stdout.readline().strip() for _server in range(number))

    def ended(self) -> tuple[int, str]:
        """Exit status, and what it said on stderr."""
        _out, said = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, said

    def pids(self) -> list[int]:
        lines = self.pids_file.read_text().splitlines()
        return [int(pid) for line in lines for pid in line.split()[:2]]

    def listed(self, model: str) -> list[str]:
        return [endpoint.address for endpoint in read_endpoints(self.state / "servers" / f"{model}.yaml")]


@contextmanager
def serving(folder: Path, *options: str, **given: object) -> Iterator[Serving]:
    running = Serving(folder, *options, **given)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        if running.pids_file.exists():
            for pid in filter(is_alive, running.pids()):
                os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_servers_are_healthy_listed_used_and_stopped_with_their_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with serving(tmp_path, "--devices", "3,5,7") as running:
        addresses = [f"http://127.0.0.1:{running.port + number}/v1" for number in range(2)]
        assert running.ready(2) == [f"reasoning {addresses[1]}", f"vision {addresses[0]}"]
        assert running.listed("vision") == addresses[:1] and running.listed("reasoning") == addresses[1:]
        assert {line.split()[2] for line in running.pids_file.read_text().splitlines()} == {"3", "5,7"}
        monkeypatch.setenv("LGT_STATE", str(running.state))
        with OpenaiServerEngine(OpenaiServerSettings(**PROFILE["models"]["reasoning"])) as engine:  # type: ignore[index]
            assert {answer.endpoint for answer in completed(engine, REQUESTS).values()} == {addresses[1]}
        pids = running.pids()
        assert len(pids) == 4 and all(map(is_alive, pids))
        running.process.send_signal(number)
        status, said = running.ended()
        assert status == 0 and "all servers are stopped" in said
        assert "--tensor-parallel-size 2" in said and "CUDA_VISIBLE_DEVICES=5,7" in said
        assert not any(map(is_alive, pids))
        assert running.listed("vision") == running.listed("reasoning") == []


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, "--model", "vision", "--stop-seconds", "0.5", stand_in="--deaf") as running:
        running.ready(1)
        running.process.terminate()
        assert running.ended()[0] == 0
        assert not any(map(is_alive, running.pids()))


def test_a_server_that_dies_ends_all_and_its_log_is_shown(tmp_path: Path) -> None:
    with serving(tmp_path, stand_in="--lives 3") as running:
        status, said = running.ended()
        assert status == 1 and "ended by itself. The last lines of" in said
        assert "out of memory: the stand-in was told to die" in said
        assert not any(map(is_alive, running.pids()))
        assert running.listed("vision") == []


@pytest.mark.parametrize(
    ("stand_in", "seconds", "said"),
    [("--silent", 2, "was not healthy within 2 s"), ("--name other", 60, "it serves other, not 'nobody/vision'")],
)
def test_a_server_that_never_gets_there_is_an_error(tmp_path: Path, stand_in: str, seconds: int, said: str) -> None:
    with serving(tmp_path, "--model", "vision", "--start-seconds", str(seconds), stand_in=stand_in) as running:
        status, heard = running.ended()
        assert status == 1 and said in heard
        assert not any(map(is_alive, running.pids()))


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(tmp_path, "--model", "vision", "--port", str(port)) as running:
            status, said = running.ended()
    assert status == 1 and f"port {port} of 127.0.0.1 is taken: choose another with --port" in said
    assert not running.pids_file.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "nothing"), "has no model 'nothing', only vision, reasoning"),
        (("--devices", "0,1"), "--devices names 2 GPUs, and the servers take 1 + 2"),
        (("--host", "0.0.0.0"), "name the address under which runs reach the servers"),
        (("--command", "no-such-program-here"), "there is no program 'no-such-program-here'"),
        (("--command", "'half"), "is no command line"),
    ],
)
def test_wrong_usage_says_what_to_do(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    with serving(tmp_path, *options) as running:
        status, heard = running.ended()
    assert status == 1 and said in heard


def test_the_process_outlives_no_sigkilled_server(tmp_path: Path) -> None:
    with serving(tmp_path, "--model", "vision") as running:
        running.ready(1)
        os.kill(running.pids()[0], signal.SIGKILL)
        started = time.monotonic()
        assert running.ended()[0] == 1
        assert time.monotonic() - started < SECONDS / 2
        assert not any(map(is_alive, running.pids()))


def test_the_command_that_is_printed_can_be_read_back(tmp_path: Path) -> None:
    with serving(tmp_path, "--model", "vision") as running:
        running.ready(1)
        running.process.terminate()
        _status, said = running.ended()
    words = shlex.split(said.splitlines()[0])
    assert words[words.index("--model") + 1] == "nobody/vision" and words[words.index("--port") + 1] == str(
        running.port
    )
