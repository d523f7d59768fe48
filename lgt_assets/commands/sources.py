"""`lgt sources`: add pictures, list what was added."""

from collections.abc import Sequence
from typing import Annotated

import typer

from lgt_assets.commands.console import notices, output, plain, print_json, table_of

SHOWN_PROBLEMS = 5
app = typer.Typer(no_args_is_help=True, help="Add sources of pictures, and list them.")

NAME = Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes; its shards are NAME-00000, …")]
KIND = Annotated[str, typer.Option("--kind", help="scenes, photos, manifest, docci, coco, hub or webdataset.")]
PATH = Annotated[
    str | None,
    typer.Option("--path", help="The manifest (.jsonl, .parquet, .csv), or the dataset's folder or address."),
]
COUNT = Annotated[int | None, typer.Option("--count", help="scenes: how many.")]
SEED = Annotated[int | None, typer.Option("--seed", help="scenes: which series.")]
OPTION = Annotated[
    list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="Any option of the kind; repeat it.")
]
SHARD_SIZE = Annotated[int, typer.Option("--shard-size", min=1, help="Pictures per shard.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


@app.command()
def add(
    name: NAME, kind: KIND, path: PATH = None, count: COUNT = None, seed: SEED = None, option: OPTION = None,
    shard_size: SHARD_SIZE = 64, as_json: JSON = False,
) -> None:  # fmt: skip
    """Cut what is new in a source into shards. Bad rows are quarantined and counted; adding again adds nothing twice."""
    from lgt_assets.assets.registration import register
    from lgt_assets.commands.progress_bars import rows_read
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables

    named = {"path": path, "count": count, "seed": seed}
    options = {key: value for key, value in named.items() if value is not None} | options_of(option or ())
    with open_instance() as instance, rows_read(notices(), name) as progress:
        addition = register(
            instance, Tables().store(), name, kind, options, shard_size=shard_size, progress=progress
        )  # fmt: skip
    counts = {"added": addition.images_added, "known": addition.images_known, "bad": addition.problems_added}
    _print_problems(addition.new_shards)
    if as_json:
        print_json({"source": name, **counts, "shards": list(addition.new_shards)})
        return
    console = output()
    console.print(
        f"{name}: {counts['added']} pictures added in {len(addition.new_shards)} shards, {counts['known']} known already, "
        f"{counts['bad']} bad rows"
    )
    if addition.new_shards:
        console.print(f"next: lgt run --shards '{name}-*'")


@app.command("list")
def list_all(as_json: JSON = False) -> None:
    """List the sources that were added, with their shards."""
    from lgt_assets.settings import state_folder
    from lgt_assets.sources.shards import list_sources

    sources = list_sources(state_folder())
    if as_json:
        rows = [
            {"name": s.name, "kind": s.kind, "images": s.images, "bad": s.problems, "shards": list(s.shards)}
            for s in sources
        ]
        print_json({"sources": rows})
        return
    if not sources:
        notices().print("no sources yet: lgt sources add --help")
        return
    rows = [(s.name, s.kind, f"{s.images:,}", f"{s.problems:,}", _span(s.shards)) for s in sources]
    columns = {"source": "left", "kind": "left", "pictures": "right", "bad rows": "right", "shards": "left"}
    output().print(table_of(columns, rows))


@app.command()
def show(name: NAME, as_json: JSON = False) -> None:
    """Show a source's card: pictures, licences, caption lengths, boxes, duplicates, and refused rows by reason."""
    from lgt_assets.assets.registration import card_of
    from lgt_assets.observe.source_card import card_lines
    from lgt_assets.resources import Tables

    card = card_of(Tables().store(), name)
    if as_json:
        print_json(card.as_json())
        return
    columns = {"source": "left", "": "left", "number": "right", "share": "right"}
    output().print(table_of(columns, card_lines(card)))


def options_of(pairs: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` texts as a dictionary.

    Raises:
        typer.BadParameter: a text has no ``=``, or no key before it.
    """
    options = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--option")
        options[key] = value
    return options


def _span(shards: Sequence[str]) -> str:
    """First and last shard, and how many there are."""
    return f"{shards[0]} … {shards[-1]} ({len(shards)})" if len(shards) > 1 else ", ".join(shards)


def _print_problems(shards: Sequence[str]) -> None:
    """The first bad rows of new shards: file, row, field, reason, and what to do."""
    from lgt_assets.settings import state_folder
    from lgt_assets.sources.shard_files import read_header
    from lgt_assets.sources.shards import read_shard

    state = state_folder()
    bad_shards = ((shard, count) for shard in shards if (count := read_header(state, shard)[1]))
    console, shown, total = notices(), 0, 0
    for shard, count in bad_shards:
        total += count
        if shown < SHOWN_PROBLEMS:
            for bad in read_shard(state, shard).problems[: SHOWN_PROBLEMS - shown]:
                shown += 1
                console.print(plain(f"{bad.file}, row {bad.row}, {bad.field}: {bad.reason}: {bad.detail}"))
    if total > shown:
        console.print(f"… and {total - shown} more; all of them go to the table rejections with their raw text")
