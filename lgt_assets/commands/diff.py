"""`lgt diff TABLE`: which rows came, went and changed between two versions of a table, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json, table_of

if TYPE_CHECKING:
    from rich.console import Console

    from lgt_assets.differences.tables import TableDifference

TABLE = Annotated[str, typer.Argument(metavar="TABLE", help="Any table, such as seed_questions.")]
FROM = Annotated[
    int | None, typer.Option("--from", min=0, help="Version; by default the one before rows were last written.")
]
TO = Annotated[int | None, typer.Option("--to", min=0, help="Version; by default the latest.")]
SHARDS = Annotated[str, typer.Option("--shards", help="Shards by shell pattern. All by default.")]
LIMIT = Annotated[int, typer.Option("--limit", min=0, help="Examples of each kind.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def diff(
    table: TABLE, start: FROM = None, end: TO = None, shards: SHARDS = "*", limit: LIMIT = 3, as_json: JSON = False
) -> None:
    """Show what differs between two Delta versions of a table: rows removed, added and changed, by reason."""
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.differences.tables import diff_table
    from lgt_assets.state import tables_folder

    found = diff_table(TableFolder(tables_folder()), table, start=start, end=end, shards=shards, limit=limit)
    if as_json:
        print_json(as_object(found))
    else:
        print_difference(output(), found)


def as_object(found: "TableDifference") -> dict:
    """The difference as plain values."""
    slices = {name: found.slices[name] for name in ("same", "compared", "new", "gone")}
    rows = {name: found.rows[name] for name in ("removed", "added", "changed", "moved", "unchanged")}
    return {
        "table": found.table, "from": found.start, "to": found.end, "slices": slices, "rows": rows,
        "reasons": {kind: dict(counts.most_common()) for kind, counts in found.reasons.items()},
        "columns": dict(found.columns.most_common()), "columns_only": found.columns_only, "runs": found.runs,
        "examples": found.examples,
    }  # fmt: skip


def print_difference(console: "Console", found: "TableDifference") -> None:
    """The difference for people."""
    slices, rows = found.slices, found.rows
    console.print(plain(
        f"{found.table}, version {found.start} to {found.end}: {slices['compared']:,} slices differ, {slices['same']:,} have the "
        f"same files"
    ))  # fmt: skip
    names = ("removed", "added", "changed", "moved", "unchanged")
    console.print(", ".join(f"{rows[name]:,} {name}" for name in names))
    for side, columns in found.columns_only.items():
        console.print(plain(f"only in --{side}, not compared: {', '.join(columns)}"))
    by_reason = [
        (kind, f"{count:,}", reason) for kind, counts in found.reasons.items() for reason, count in counts.most_common()
    ]
    if by_reason:
        console.print()
        console.print(table_of({"rows": "left", "count": "right", "reason": "left"}, by_reason))
    if found.columns:
        told = ", ".join(f"{name} {count:,}" for name, count in found.columns.most_common())
        console.print(plain(f"\nchanged columns: {told}"))
    examples = [
        (kind, example["key"], example["label"], example["reason"])
        for kind, some in found.examples.items()
        for example in some
    ]
    if examples:
        console.print()
        console.print(table_of({"example": "left", "key": "left", "row": "left", "reason": "left"}, examples))
    for example in found.examples["changed"]:
        for name, (before, after) in example["columns"].items():
            console.print(plain(f"{example['key']} {name}: {before} -> {after}"))
    if found.runs:
        console.print("\nwritten by")
        cells = [
            (
                run["run_id"],
                run["asset"],
                run["code_version"],
                f"{run['commits']:,}",
                f"{run['versions'][0]} to {run['versions'][1]}",
            )
            for run in found.runs
        ]
        console.print(
            table_of(
                {"run": "left", "asset": "left", "code version": "left", "commits": "right", "versions": "left"}, cells
            )
        )
