"""`lgt tables`: how large the Delta tables are, and keeping them small."""

from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, output, plain, print_json, table_of

if TYPE_CHECKING:
    from lgt_assets.assets.maintenance import Maintenance

app = typer.Typer(no_args_is_help=True, help="Look after the Delta tables.")
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
RETAIN_HOURS = Annotated[
    float, typer.Option(min=0, help="Keep files that the latest version no longer has for so long. A week by default.")
]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]


@app.command()
def stats(as_json: JSON = False) -> None:
    """What each table holds, how much is kept of earlier versions, and which of them releases pin."""
    from dataclasses import asdict

    from lgt_assets.resources import Tables
    from lgt_assets.table_stats import table_stats

    rows = list(table_stats(Tables().store()))
    if as_json:
        print_json({"tables": [asdict(row) for row in rows]})
        return
    counts = ("rows", "files", "bytes", "bytes_kept", "version", "versions")
    cells = [
        (row.table, *(f"{getattr(row, name):,}" for name in counts),
         ", ".join(f"{version}: {' '.join(releases)}" for version, releases in row.pinned.items()))
        for row in rows
    ]  # fmt: skip
    headings = dict.fromkeys((name.replace("_", " ") for name in counts), "right")
    output().print(table_of({"table": "left"} | headings | {"pinned version: releases": "left"}, cells))


@app.command()
def maintain(retain_hours: RETAIN_HOURS = 168, dry_run: DRY_RUN = False, as_json: JSON = False) -> None:
    """Compact, write checkpoints, and remove what neither a release nor the last hours need.

    Every version that a release pins stays readable. Refused while runs are active. Exit code 1 if a table was left alone.
    """
    from dataclasses import asdict

    from lgt_assets.assets.maintenance import maintain as maintain_all
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables
    from lgt_assets.settings import state_folder

    with open_instance() as instance:
        done = maintain_all(
            instance, Tables().store(), state_folder() / "releases", retain_hours=retain_hours, dry_run=dry_run
        )
    if as_json:
        print_json({"dry_run": dry_run, "totals": done.totals(), "tables": [asdict(table) for table in done.tables]})
    else:
        _print(done, dry_run)
    if done.left_alone:
        raise typer.Exit(1)


def _print(done: "Maintenance", dry_run: bool) -> None:
    from lgt_assets.assets.maintenance import COUNTS

    cells = [
        (table.table, *(f"{getattr(table, name):,}" for name in COUNTS), ", ".join(map(str, table.pinned)))
        for table in done.tables
    ]
    headings = dict.fromkeys((name.replace("_", " ") for name in COUNTS), "right")
    output().print(table_of({"table": "left"} | headings | {"pinned versions": "left"}, cells))
    totals = done.totals()
    verb = "would be freed" if dry_run else "freed"
    output().print(
        f"\n{totals['bytes_removed']:,} bytes {verb}, {totals['folders_removed']:,} unfinished releases among them"
    )
    for table in done.tables:
        if table.foreign_releases:
            named = ", ".join(table.foreign_releases)
            notices().print(plain(f"{table.table} was made anew: it never had the versions that releases {named} pin"))
    for reason in done.left_alone:
        notices().print(plain(f"left alone: {reason}"))
