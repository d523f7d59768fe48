"""A server's process with all its children: started, looked at, stopped to the last."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lgt_assets.errors import EngineError
from lgt_assets.serving.server_command import Server

_TAIL_LINES = 20
_TAIL_BYTES = 16_384
_LOOK_SECONDS = 0.05
_GONE_SECONDS = 10.0


class ServerProcess:
    """A server in a session of its own, so that Ctrl-C at the terminal reaches it through us alone.

    Args:
        server: what to start.
        log: file for all it prints, begun anew.

    Raises:
        EngineError: it cannot be started.
    """

    def __init__(self, server: Server, log: Path) -> None:
        self.server, self.log = server, log
        self._is_reaped = False
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        if server.devices is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(server.devices)
        if server.key_env and os.environ.get(server.key_env):
            environment["VLLM_API_KEY"] = os.environ[server.key_env]  # never on the command line, which all can read
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    server.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise EngineError(f"cannot start {server.command[0]!r}: {error.strerror}; see lgt serve --help") from error

    @property
    def has_ended(self) -> bool:
        """Whether the process itself is over; its number is kept from reuse until :meth:`stop`."""
        if self._is_reaped:
            return True
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def last_lines(self) -> str:
        """The end of what it printed."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:])

    def terminate(self) -> None:
        """Ask it to end."""
        if not self.has_ended:
            self._process.terminate()

    def stop(self, seconds: float) -> None:
        """Ask it to end, wait up to ``seconds``, then kill what is left of it and of its children, and wait for that.

        Raises:
            EngineError: some of it is still there.
        """
        if self._is_reaped:
            return
        self.terminate()
        _until(lambda: self.has_ended, seconds)
        group = self._process.pid
        _signal_group(group, signal.SIGKILL)
        self._process.wait()
        self._is_reaped = True
        if not _until(lambda: not _signal_group(group, 0) or _only_zombies(group), _GONE_SECONDS):
            raise EngineError(f"processes of {self.server.model} are still there: kill -9 -- -{group}")


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        # Looked at, not waited for: no call waits for a whole group, and none that takes a limit of time for its leader without
        # giving its number away, by which the group is still to be killed. (Linux alone has one for the leader, by pidfd.)
        time.sleep(_LOOK_SECONDS)
    return True


def _signal_group(group: int, number: int) -> bool:
    """Whether there is such a group."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _only_zombies(group: int) -> bool:
    """Whether all of a group are dead and only wait for their parent to notice; False where /proc does not say."""
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # gone meanwhile
            continue
        if int(its_group) == group:
            states.append(state)
    return bool(states) and set(states) == {"Z"}
