"""The life of a few servers: ports looked at, started, healthy, listed; and when one ends or we are told to, all stopped."""

import errno
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from lgt_assets.errors import EngineError
from lgt_assets.serving.endpoint_lists import FOLDER, delist, enlist, list_path
from lgt_assets.serving.health import is_healthy
from lgt_assets.serving.server_command import Server
from lgt_assets.serving.server_process import ServerProcess

_LOOK_SECONDS = 0.25


def require_free_ports(servers: Sequence[Server]) -> None:
    """Refuse to start where somebody listens already.

    Raises:
        EngineError: a port is taken, or the host is none of this machine's.
    """
    for server in servers:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((server.host, server.port))
            except OSError as error:
                why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise EngineError(
                    f"port {server.port} of {server.host} {why}: choose another with --port, or stop what listens there"
                ) from error


def serve(
    servers: Sequence[Server], state: Path, stop: threading.Event, *, start_seconds: float, stop_seconds: float,
    on_start: Callable[[Server, Path], None], on_healthy: Callable[[Server, Path], None],
) -> None:  # fmt: skip
    """Run ``servers`` until ``stop`` is set, then stop them and all their children.

    Args:
        servers: to be run.
        state: folder of logs and of the lists that clients read.
        stop: set by a signal, from outside.
        start_seconds: longest until all are healthy.
        stop_seconds: longest that one may take to end before it is killed.
        on_start: told of each server and its log.
        on_healthy: told of each server that is healthy, and of the file that lists it now.

    Raises:
        EngineError: one ended by itself (with the last lines of its log), is not healthy in time, or serves something else.
    """
    require_free_ports(servers)
    with ExitStack() as running:
        processes: list[ServerProcess] = []
        running.callback(_stop_all, processes, stop_seconds)
        for server in servers:
            log = state / FOLDER / "logs" / f"{server.model}-{server.port}.log"
            on_start(server, log)
            processes.append(ServerProcess(server, log))
        waiting, deadline = list(processes), time.monotonic() + start_seconds
        while not stop.is_set():
            _require_alive(processes)
            for process in [one for one in waiting if is_healthy(one.server)]:
                path = list_path(state, process.server.model)
                enlist(path, process.server.endpoint)
                running.callback(delist, path, process.server.endpoint)  # before anything is stopped
                waiting.remove(process)
                on_healthy(process.server, path)
            if waiting and time.monotonic() >= deadline:
                raise EngineError(_story(waiting[0], f"was not healthy within {start_seconds:g} s"))
            stop.wait(_LOOK_SECONDS)


def _require_alive(processes: Sequence[ServerProcess]) -> None:
    for process in processes:
        if process.has_ended:
            raise EngineError(_story(process, "ended by itself"))


def _story(process: ServerProcess, what: str) -> str:
    said = process.last_lines() or "(nothing)"
    return f"the server of {process.server.model} {what}. The last lines of {process.log}:\n{said}"


def _stop_all(processes: Sequence[ServerProcess], seconds: float) -> None:
    for process in processes:
        process.terminate()
    with ExitStack() as all_of_them:  # each is stopped, also where another cannot be
        for process in processes:
            all_of_them.callback(process.stop, seconds)
