"""The processes of benchmarks.crash: those that are killed, and the server that remembers what it was asked."""

import json
import signal
import subprocess
import sys
import urllib.request
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


class Worker:
    """A process that has loaded everything and obeys; see crash_parts/materialize.py."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.crash_parts.materialize"]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def tell(self, line: str) -> None:
        """Give an order, as soon as it is ready."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict | None:
        """What it answers; None if it died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None

    def obey(self, line: str) -> dict:
        """Order and answer."""
        self.tell(line)
        answer = self.answer()
        assert answer is not None, f"the worker died of {line!r}"
        return answer

    def end(self, number: int = signal.SIGKILL) -> None:
        """Kill it and wait until it is gone."""
        self.process.send_signal(number)
        self.process.communicate()


class Server:
    """The answering server, which can be killed and started again at the same port; its log survives."""

    def __init__(self, log: Path, delay: float) -> None:
        self.log, self.delay, self.port = log, delay, 0
        self.start()

    def start(self) -> None:
        """Listen."""
        command = [sys.executable, "-m", "benchmarks.crash_parts.answering_server", "--port", str(self.port)]
        command += ["--delay", str(self.delay), "--log", str(self.log)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]

    def kill(self) -> None:
        """As a machine that is lost."""
        self.process.kill()
        self.process.communicate()

    def settle(self) -> None:
        """Wait until it has read what a client that is gone has sent: it answers later arrivals after that."""
        for _time in range(2):
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30).close()

    def counts(self) -> tuple[int, int]:
        """Requests that came since the last call of :meth:`forget`, and how many of them were distinct."""
        seen = self.log.read_text().split() if self.log.exists() else []
        return len(seen), len(set(seen))

    def repeated_after(self, ends: Sequence[int]) -> list[int]:
        """For each end of a run, after how many requests in all: of those that came last before it, how many came again later."""
        arrivals: dict[str, list[int]] = {}
        for place, request in enumerate(self.log.read_text().split()):
            arrivals.setdefault(request, []).append(bisect_right(ends, place))
        repeats = Counter(run for runs in arrivals.values() for run in runs[:-1])
        return [repeats[run] for run in range(len(ends) + 1)]

    def forget(self) -> None:
        """Count from here."""
        self.log.write_text("")
