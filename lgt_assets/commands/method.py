"""`lgt method`: what the tables say of the method itself, as markdown."""

from pathlib import Path
from typing import Annotated

import typer

from lgt_assets.commands.console import notices, plain, print_json

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
INTO = Annotated[
    Path | None, typer.Option("--into", help="Write it into a page instead, between the page's marker comments.")
]


def method(as_json: JSON = False, into: INTO = None) -> None:
    """Show the method in numbers: rejections, checks before and after, pass rates, behaviours, pairs, as markdown tables."""
    from lgt_assets.method_report import build_method_report
    from lgt_assets.method_tables import markdown, write_into
    from lgt_assets.resources import Tables
    from lgt_assets.sources.scene_keys import scene_judge

    store = Tables().store()
    report = build_method_report(store, scene_judge(store.read("images")))
    if into is not None:
        write_into(into, markdown(report))
        notices().print(plain(f"written into {into}"))
    elif not as_json:
        typer.echo(markdown(report), nl=False)
    if as_json:
        print_json(report)
