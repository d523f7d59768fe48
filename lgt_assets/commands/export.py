"""`lgt export`: a release as files that a trainer takes unchanged; and whether such files are still what was written."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, output, plain, print_json, table_of

if TYPE_CHECKING:
    from rich.console import Console

    from lgt_assets.release.exporting import Exported
    from lgt_assets.release.writing import Progress

SECONDS_BETWEEN_LINES = 30.0
FORMAT = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="hf (TRL), llamafactory, swift, verl, structured (axolotl), easyr1, openrlhf, rows."
    ),
]
OUT = Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write: empty, or not there yet.")]
AT = Annotated[
    str, typer.Option("--at", metavar="RELEASE", help="Id of a release, or its start; by default the latest.")
]
PICTURES = Annotated[
    str | None,
    typer.Option(
        "--pictures",
        help="embedded, files (copied beside), or referenced (paths of the originals); by default as the format has it.",
    ),
]
CONFIG = Annotated[list[str] | None, typer.Option("--config", help="Only this config; may be given several times.")]
STRIP = Annotated[
    bool,
    typer.Option("--strip-location", help="Remove from pictures where they were taken; nothing is re-encoded."),
]
VERIFY = Annotated[
    Path | None, typer.Option("--verify", metavar="DIR", help="Hold an export against its SHA256SUMS instead.")
]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def export(
    format_name: FORMAT = "hf", out: OUT = None, at: AT = "latest", pictures: PICTURES = None, config: CONFIG = None,
    strip_location: STRIP = False, verify: VERIFY = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Write a release for a trainer, rebuilt from the table versions that it pins; or verify such a folder."""
    if verify is not None:
        verify_export(verify, as_json)
        return
    if out is None:
        raise typer.BadParameter("give the folder to write: --out DIR", param_hint="--out")
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.release.configs import CONFIGS
    from lgt_assets.release.exporting import export_release
    from lgt_assets.release.formats.registry import format_named
    from lgt_assets.release.options import Options
    from lgt_assets.release.pins import read_release
    from lgt_assets.state import tables_folder
    from lgt_assets.takedown.records import require_rebuildable

    options = Options(format_named(format_name), pictures, tuple(config or CONFIGS), strip_location)
    tables = TableFolder(tables_folder())
    release = read_release(tables, at)
    require_rebuildable(tables, release.release_id)
    with showing_rows(notices()) as progress:
        exported = export_release(release, tables, out, options, progress)
    if as_json:
        print_json(_as_object(release.release_id, format_name, out, exported))
    else:
        print_export(output(), release.release_id, out, exported)


def verify_export(folder: Path, as_json: bool) -> None:
    """Say what differs from the manifest; exit with 1 where anything does."""
    from lgt_assets.release.manifest import verify

    findings = verify(folder)
    if as_json:
        print_json({"whole": findings.is_whole, **findings.__dict__})
    else:
        for name in ("changed", "missing", "unknown"):
            for path in getattr(findings, name):
                output().print(plain(f"{name}: {path}"))
        verdict = "is whole" if findings.is_whole else "IS NOT what was exported"
        output().print(plain(f"{folder} {verdict}: {findings.files:,} files as listed"))
    if not findings.is_whole:
        raise typer.Exit(1)


def _as_object(release_id: str, format_name: str, out: Path, exported: "Exported") -> dict:
    rows = [
        {"config": one.config, "split": one.split, "rows": one.rows, "bytes": one.bytes} for one in exported.written
    ]
    return {
        "release": release_id, "format": format_name, "out": str(out), "files": exported.files, "rows": rows,
        "location_removed": exported.stripped,
    }  # fmt: skip


def print_export(console: "Console", release_id: str, out: Path, exported: "Exported") -> None:
    """Rows and megabytes by config and split."""
    columns = {"config": "left", "split": "left", "rows": "right", "MB": "right"}
    rows = [(one.config, one.split, f"{one.rows:,}", f"{one.bytes / 1e6:,.1f}") for one in exported.written]
    console.print(table_of(columns, rows))
    told = f"release {release_id}, {exported.files:,} files: {out}"
    if exported.stripped:
        told += f"; {exported.stripped:,} pictures no longer say where they were taken"
    console.print(plain(told))


@contextmanager
def showing_rows(console: "Console") -> Iterator["Progress"]:
    """A bar for each step on a terminal, a line now and then elsewhere."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def _lines(console: "Console") -> "Progress":
    written_at = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal written_at
        if time.monotonic() - written_at >= SECONDS_BETWEEN_LINES:
            written_at = time.monotonic()
            console.print(plain(f"{what}: {done:,} of {total:,} rows"))

    return show
