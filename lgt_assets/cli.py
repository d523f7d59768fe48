"""`lgt`: everything Dagit does without a browser, and what comes before and after it."""

import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

from lgt_assets import __version__
from lgt_assets.commands import (
    audit,
    dagit,
    demo,
    diff,
    doctor,
    embedded,
    export,
    insights,
    method,
    plan,
    run,
    serve,
    show,
    sources,
    store,
    suites,
    tables,
    takedown,
    train,
)
from lgt_assets.commands.console import notices, plain
from lgt_assets.errors import LgtError

app = typer.Typer(
    name="lgt",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Images with captions and boxes in; a Long Grounded Thoughts dataset out.",
)
app.command()(demo.demo)
app.add_typer(sources.app, name="sources")
app.command()(run.run)
app.command()(run.report)
app.command()(method.method)
app.command()(show.show)
app.command()(diff.diff)
app.command()(export.export)
app.command()(takedown.takedown)
app.command()(suites.suites)
app.command()(train.train)
app.command()(insights.insights)
app.add_typer(audit.app, name="audit")
app.add_typer(store.app, name="store")
app.add_typer(tables.app, name="tables")
app.command()(serve.serve)
app.command()(plan.plan)
app.command()(dagit.dagit)
app.command()(doctor.doctor)
app.add_typer(embedded.app, name="embedded")
app.command()(dagit.env)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Options of `lgt` itself."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 an error that the message explains, 2 wrong usage.

    Args:
        arguments: without the program's name; by default the process's.
    """
    # Said once per check on every start, to people who can do nothing about it; the exact version of Dagster is pinned.
    warnings.filterwarnings("ignore", message=r".*is currently in (preview|beta)")
    try:
        app(args=list(arguments) if arguments is not None else None)
    except LgtError as error:
        notices().print(plain(f"lgt: {error}"))
        sys.exit(1)


if __name__ == "__main__":
    main()
