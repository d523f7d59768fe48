"""`lgt run` and `lgt report`: materialize without Dagit, and say what came of it."""

import time
from typing import Annotated

import typer
from rich.console import Console

from lgt_assets.commands.audit import SCORE_COLUMNS, score_rows
from lgt_assets.commands.console import notices, output, print_json, table_of

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
SELECT = Annotated[
    str | None,
    typer.Option("--select", help="Assets: names joined by commas, or Dagster's selection syntax. All by default."),
]
SHARDS = Annotated[str, typer.Option("--shards", help="Shards by shell pattern, e.g. 'scenes-*'. All by default.")]


DRY_RUN = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be sent and reused, and what that takes; do nothing.")
]
RETRY_FAILED = Annotated[
    bool, typer.Option("--retry-failed", help="Make only shards with failed requests again; only those are sent.")
]
BY_SHARD = Annotated[bool, typer.Option("--by-shard", help="What each shard took, too.")]
ESTIMATE_COLUMNS = {
    "asset": "left", "shard": "left", "role": "left", "to send": "right", "reused": "right", "prompt tokens": "right",
    "new tokens": "right", "hours": "right", "dollars": "right", "how known": "left",
}  # fmt: skip


def run(
    select: SELECT = None, shards: SHARDS = "*", dry_run: DRY_RUN = False, retry_failed: RETRY_FAILED = False,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """Materialize assets for shards in this process, with the same instance, checks and gates as in Dagit."""
    if dry_run and retry_failed:
        raise typer.BadParameter("--dry-run and --retry-failed do not go together")
    if dry_run:
        look_ahead(select, shards, as_json=as_json)
    else:
        materialize(select, shards, as_json=as_json, retry_failed=retry_failed)


def report(by_shard: BY_SHARD = False, as_json: JSON = False) -> None:
    """Show the funnel: rows, and what was asked, parsed and rejected by reason, per table; and what that took."""
    from lgt_assets.costs import shard_costs
    from lgt_assets.report import build_report
    from lgt_assets.resources import Tables

    funnel = build_report(Tables().store())
    if by_shard:
        funnel["shard_costs"] = shard_costs(Tables().store())
    if as_json:
        print_json(funnel)
    else:
        print_funnel(output(), funnel)


def look_ahead(select: str | None, shards: str, *, as_json: bool) -> None:
    """Print what a run would send and reuse, and what that would take; send nothing and write no row.

    Raises:
        LgtError: nothing matches, or what is stored cannot be read.
    """
    from dataclasses import asdict

    from lgt_assets import runs
    from lgt_assets.estimates import estimate_rows, totals
    from lgt_assets.instance import open_instance

    with open_instance() as instance:
        estimates = runs.look_ahead(instance, selection=select, shards=shards)
    total = totals(estimates)
    if as_json:
        print_json({"dry_run": True, "totals": total, "requests": [asdict(row) for row in estimates]})
        return
    output().print(table_of(ESTIMATE_COLUMNS, estimate_rows(estimates)))
    for name in ("requests_to_send", "requests_reused", "prompt_tokens", "completion_tokens", "hours", "dollars"):
        value = "unknown" if total[name] is None else f"{total[name]:,.2f}".removesuffix(".00")
        least = "at least " if total[f"{name}_incomplete"] and total[name] is not None else ""
        output().print(f"{name.replace('_', ' ')}: {least}{value}")


def materialize(select: str | None, shards: str, *, as_json: bool, retry_failed: bool = False) -> None:
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
            if retry_failed:
                summary = runs.retry_failed(instance, store, selection=select, shards=shards)
            else:
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
    from lgt_assets.report import picture_lines, report_rows

    columns = {"table": "left", "rows": "right", "asked": "right", "parsed": "right", "rejected": "left"}
    console.print(table_of(columns, report_rows(funnel)))
    for line in picture_lines(funnel["pictures"]) if "pictures" in funnel else ():
        console.print(line)
    if "audits" in funnel:
        console.print("\naudited by people")
        console.print(table_of(SCORE_COLUMNS, score_rows(funnel["audits"])))
    print_costs(console, funnel)
    if "seconds" in funnel:
        sent, reused = funnel["requests_sent"], funnel["requests_reused"]
        console.print(f"\n{sent:,} requests sent, {reused:,} reused, {funnel['seconds']:,} seconds")


def print_costs(console: Console, funnel: dict) -> None:
    """What generating took, by asset and, where asked for, by shard."""
    from lgt_assets.costs import COUNTS
    from lgt_assets.report import cost_rows

    headings = dict.fromkeys((name.replace("_", " ") for name in COUNTS), "right")
    if "costs" in funnel:
        console.print("\nwhat it took, as each shard was last made")
        console.print(table_of({"table": "left"} | headings, cost_rows(funnel["costs"])))
    if "shard_costs" in funnel:
        rows = [
            (row["asset"], row["shard"], *(f"{round(row[name], 1):,}" for name in COUNTS))
            for row in funnel["shard_costs"]
        ]
        console.print()
        console.print(table_of({"table": "left", "shard": "left"} | headings, rows))
