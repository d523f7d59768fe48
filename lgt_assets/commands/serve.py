"""`lgt serve`: local model servers for a profile, until Ctrl-C."""

import os
import shlex
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, plain

if TYPE_CHECKING:
    from lgt_assets.serving.server_command import Server

PROFILE = Annotated[str | None, typer.Option("--profile", help="Profile, by name or path. $LGT_PROFILE by default.")]
MODEL = Annotated[
    list[str] | None,
    typer.Option("--model", help="A name under the profile's models; may be repeated. All by default."),
]
HOST = Annotated[str, typer.Option("--host", help="Address to listen on, and under which the servers are listed.")]
PORT = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the first server; the others follow.")]
DEVICES = Annotated[
    str,
    typer.Option("--devices", help="GPUs, joined by commas, as CUDA_VISIBLE_DEVICES names them; dealt out in order."),
]
REPLICAS = Annotated[int, typer.Option("--replicas", min=1, help="Servers for each model.")]
COMMAND = Annotated[
    str,
    typer.Option(
        "--command", envvar="LGT_SERVE_COMMAND",
        help="Beginning of the command, {model} being the model, with flags of your own: 'vllm serve {model} --max-num-seqs 64'.",
    ),
]  # fmt: skip
START_SECONDS = Annotated[float, typer.Option("--start-seconds", min=0, help="Longest until all servers are healthy.")]
STOP_SECONDS = Annotated[float, typer.Option("--stop-seconds", min=0, help="Longest that one may take to end.")]


def serve(
    profile: PROFILE = None, model: MODEL = None, host: HOST = "127.0.0.1", port: PORT = 8000, devices: DEVICES = "",
    replicas: REPLICAS = 1, command: COMMAND = "", start_seconds: START_SECONDS = 1800, stop_seconds: STOP_SECONDS = 30,
) -> None:  # fmt: skip
    """Start a server for each model (vllm serve), wait until it is healthy, list it for runs, and stop it at Ctrl-C or SIGTERM.

    Runs find the servers by `endpoints_file: servers/MODEL.yaml` of engine openai_server (profile `fleet`).
    """
    from lgt_assets.errors import EngineError, SettingsError
    from lgt_assets.serving.server_command import VLLM_SERVE, planned_servers
    from lgt_assets.serving.servers import serve as serve_until
    from lgt_assets.settings import load_profile, state_folder

    if host in ("0.0.0.0", "::", ""):
        raise SettingsError(
            "--host: name the address under which runs reach the servers; it is written into their list"
        )
    program = command.strip() or VLLM_SERVE
    names = [name.strip() for name in devices.split(",") if name.strip()]
    servers = planned_servers(
        load_profile(profile), model or [], host=host, port=port, devices=names, replicas=replicas, program=program
    )
    if shutil.which(servers[0].command[0]) is None:
        raise EngineError(
            f"there is no program {servers[0].command[0]!r}: pip install -e '.[gpu]' brings vllm; or give --command"
        )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    serve_until(
        servers, state_folder(), stop, start_seconds=start_seconds, stop_seconds=stop_seconds,
        on_start=_say_start, on_healthy=_say_healthy,
    )  # fmt: skip
    notices().print("all servers are stopped")


def _say_start(server: "Server", log: Path) -> None:
    seen = "" if server.devices is None else f"CUDA_VISIBLE_DEVICES={','.join(server.devices)} "
    notices().print(plain(f"{seen}{shlex.join(server.command)} > {os.path.relpath(log)}"))


def _say_healthy(server: "Server", listed: Path) -> None:
    typer.echo(f"{server.model} {server.endpoint}")
    notices().print(plain(f"{server.model} is healthy, and listed in {os.path.relpath(listed)}"))
