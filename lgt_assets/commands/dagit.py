"""`lgt dagit`: the web interface and the daemon on the state folder."""

import os
import shlex
import sys
from typing import Annotated

import typer

from lgt_assets.commands.console import notices

HOST = Annotated[
    str, typer.Option("--host", help="Address to listen on. Dagit asks nobody for a password: keep it local.")
]
PORT = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]


INSTANCE = Annotated[
    str,
    typer.Option(
        "--instance",
        help="Configuration of Dagster, kept in the state folder: laptop, one-gpu, cluster-ray, k8s, celery, or the path of a "
        ".yaml file; see docs/deploy.md. By default $LGT_INSTANCE, else what is there, else laptop.",
    ),
]


def dagit(host: HOST = "127.0.0.1", port: PORT = 3000, instance: INSTANCE = "") -> None:
    """Serve the graph, with the daemon that backfills and the run queue need."""
    from lgt_assets.instance import open_instance

    with open_instance(instance):
        pass
    notices().print(f"Dagit: http://{host}:{port}, state in {os.environ['LGT_STATE']}", markup=False)
    sys.stderr.flush()
    program = [sys.executable, "-m", "dagster", "dev", "-m", "lgt_assets.definitions", "-h", host, "-p", str(port)]
    os.execv(sys.executable, program)


def env(instance: INSTANCE = "") -> None:
    """Print the variables for running Dagster's own commands by hand: eval "$(lgt env)"."""
    from lgt_assets.instance import prepare_environment

    prepare_environment(instance)
    for name in ("LGT_STATE", "DAGSTER_HOME"):
        typer.echo(f"export {name}={shlex.quote(os.environ[name])}")
