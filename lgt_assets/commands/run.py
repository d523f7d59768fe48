"""`lgt run` and `lgt report`: materialize without Dagit, and say what came of it."""

import time
from typing import Annotated

import typer
from rich.console import Console

from lgt_assets.commands.console import notices, output, print_json, table_of

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
SELECT = Annotated[
    str | None,
    typer.Option("--select", help="Assets: names joined by commas, or Dagster's selection syntax. All by default."),
]
SHARDS = Annotated[str, typer.Option("--shards", help="Shards by shell pattern, e.g. 'scenes-*'. All by default.")]


def run(select: SELECT = None, shards: SHARDS = "*", as_json: JSON = False) -> None:
    """Materialize assets for shards in this process, with the same instance, checks and gates as in Dagit."""
    materialize(select, shards, as_json=as_json)


def report(as_json: JSON = False) -> None:
    """Show the funnel: rows, and what was asked, parsed and rejected by reason, per table."""
    from lgt_assets.report import build_report
    from lgt_assets.resources import Tables

    funnel = build_report(Tables().store())
    if as_json:
        print_json(funnel)
    else:
        print_funnel(output(), funnel)


def materialize(select: str | None, shards: str, *, as_json: bool) -> None:
    """Run, then print the funnel with the requests and seconds that this run took.

    Raises:
        LgtError: nothing matches, or steps failed (after the funnel of what was made is printed).
    """
    from lgt_assets import runs
    from lgt_assets.commands.progress_bars import showing_progress
    from lgt_assets.instance import open_instance
    from lgt_assets.report import build_report, requests_between
    from lgt_assets.resources import Tables

    started = time.monotonic()
    store = Tables().store()
    with open_instance() as instance:
        before = store.read("funnel")
        with showing_progress(notices()):
            summary = runs.run(instance, selection=select, shards=shards)
    requests = requests_between(before, store.read("funnel"), assets=summary.assets, shards=summary.shards)
    result = build_report(store) | requests | {"seconds": round(time.monotonic() - started, 1)}
    if as_json:
        print_json(result)
    else:
        print_funnel(output(), result)
    runs.require_success(summary)


def print_funnel(console: Console, funnel: dict) -> None:
    """The report for people."""
    from lgt_assets.report import report_rows

    columns = {"table": "left", "rows": "right", "asked": "right", "parsed": "right", "rejected": "left"}
    console.print(table_of(columns, report_rows(funnel)))
    if "seconds" in funnel:
        sent, reused = funnel["requests_sent"], funnel["requests_reused"]
        console.print(f"\n{sent:,} requests sent, {reused:,} reused, {funnel['seconds']:,} seconds")
