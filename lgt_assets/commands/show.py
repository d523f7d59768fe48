"""`lgt show ID`: a row, what it was made from, and what was made from it; as a tree, or as a page for the browser."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from lgt_assets.commands.console import notices, output, plain

if TYPE_CHECKING:
    from lgt_assets.lineage.family import Family, Member
    from lgt_assets.lineage.subject import Subject

VALUE_CHARACTERS = 2000
LABEL_CHARACTERS = 100
REQUEST_FIELDS = (
    "role",
    "engine",
    "endpoint",
    "model",
    "revision",
    "template_hash",
    "sampling",
    "seed",
    "prompt",
    "prefix",
    "text",
)
COST_FIELDS = ("sample_index", "finish_reason", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds")
ID = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A row's id, such as q.scenes-00000.0123456789abcdef; or the key of a completion, the sha256 of a picture, a shard.",
    ),
]
LIMIT = Annotated[int, typer.Option("--limit", min=1, help="Children shown per row; the page shows all.")]
REQUEST = Annotated[bool, typer.Option("--request", help="Show the request and the raw completion as well.")]
HTML = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page with all of it instead: one file, no network."),
]


def show(row_id: ID, limit: LIMIT = 10, request: REQUEST = False, html: HTML = None) -> None:
    """Show a row with its ancestors and descendants as a tree, or as a page; only its shard is opened."""
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.errors import NotFoundError
    from lgt_assets.lineage.subject import find
    from lgt_assets.state import tables_folder
    from lgt_assets.takedown.records import require_not_taken_down

    folder = TableFolder(tables_folder())
    try:
        subject = find(folder, row_id)
    except NotFoundError:
        require_not_taken_down(folder, row_id)
        raise
    if html is not None:
        write_page(subject, html)
    elif subject.kind == "shard":
        output().print(shard_tree(subject, limit))
    elif subject.kind == "completion":
        output().print(completion_tree(subject, limit))
    else:
        print_row(subject, limit=limit, request=request)


def write_page(subject: "Subject", path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        NotFoundError: it would be a page about a whole shard.
        SourceError: the file cannot be written.
    """
    from lgt_assets.lineage.dossier import read_dossier
    from lgt_assets.lineage.page import render_lineage, write_file

    dossier = read_dossier(subject)
    size = write_file(path, render_lineage(dossier))
    notices().print(
        plain(f"{len(dossier.rows):,} rows, {len(dossier.completions):,} completions, {size / 1e6:.1f} MB: {path}")
    )


def print_row(subject: "Subject", *, limit: int, request: bool) -> None:
    """The tree of a row."""
    from lgt_assets.lineage.reading import read_family, read_generations

    row, key = subject.row, subject.row.get("request_key")
    family = read_family(subject.tables, subject.name, row)
    generation = read_generations(subject.tables, [key]).get(key) if request and key else None
    output().print(row_tree(subject.name, row, family, generation=generation, limit=limit))


def row_tree(row_id: str, row: dict, family: "Family", *, generation: dict | None = None, limit: int = 10) -> Tree:
    """The tree that is shown: the row's values, its request, what is above it and what is below it."""
    tree = Tree(_headline(family.members[row_id]))
    values = tree.add(Text("row", style="bold"))
    for name, value in row.items():
        values.add(Group(Text.assemble((f"{name}: ", "dim"), _short(value, VALUE_CHARACTERS))))
    if generation is not None:
        _fields(tree.add(Text("request", style="bold")), generation, (*REQUEST_FIELDS, *COST_FIELDS))
    _grow(tree.add(Text("ancestors", style="bold")), row_id, family, family.parents, limit, set())
    _grow(
        tree.add(Text("descendants", style="bold")), row_id, family, lambda i: family.children.get(i, []), limit, set()
    )
    return tree


def completion_tree(subject: "Subject", limit: int) -> Tree:
    """A completion with all that decided it, and the rows that were parsed from it or judged by it."""
    tree = Tree(Text.assemble(("generations", "cyan"), " ", plain(subject.name), " ", plain(subject.shard)))
    _fields(tree.add(Text("request", style="bold")), subject.row, ("asset", *REQUEST_FIELDS, *COST_FIELDS))
    rows = tree.add(Text("rows that were parsed from it or judged by it", style="bold"))
    for row_id in subject.row_ids[:limit]:
        rows.add(plain(row_id))
    if len(subject.row_ids) > limit:
        rows.add(Text(f"… and {len(subject.row_ids) - limit} more (--limit)", style="dim"))
    return tree


def shard_tree(subject: "Subject", limit: int) -> Tree:
    """How many rows each table has of a shard, at which version, and the shard's pictures."""
    tables = subject.tables
    tree = Tree(Text.assemble(("shard", "cyan"), " ", plain(subject.shard)))
    counts = tree.add(Text("rows", style="bold"))
    for table, files in tables.opened.items():
        counts.add(Text(f"{table} {sum(one.rows for one in files.of(subject.shard)):,} (version {files.version})"))
    pictures = tree.add(Text("pictures", style="bold"))
    images = tables.scan("images")
    if images is not None:
        rows = images.sort("ordinal").select("image_id", "caption").head(limit).collect()
        for image_id, caption in rows.iter_rows():
            pictures.add(Text.assemble(plain(image_id), " ", _short(caption, LABEL_CHARACTERS)))
        total = sum(one.rows for one in tables.opened["images"].of(subject.shard))
        if total > limit:
            pictures.add(Text(f"… and {total - limit} more (--limit)", style="dim"))
    return tree


def _fields(tree: Tree, values: dict, names: Sequence[str]) -> None:
    for name in names:
        tree.add(Text.assemble((f"{name}: ", "dim"), _short(values[name], VALUE_CHARACTERS)))


def _grow(
    tree: Tree, row_id: str, family: "Family", following: Callable[[str], Sequence[str]], limit: int, seen: set[str]
) -> None:
    """Add the rows that follow ``row_id``, and theirs; one that is reached by two ways is opened once."""
    ids = following(row_id)
    for number, following_id in enumerate(ids):
        if number == limit:
            tree.add(Text(f"… and {len(ids) - limit} more (--limit)", style="dim"))
            return
        member = family.members.get(following_id)
        if member is None:
            tree.add(Text.assemble(plain(following_id), (" is missing", "red")))
            continue
        repeated = following_id in seen and bool(following(following_id))
        branch = tree.add(Text.assemble(_headline(member), (" (above)", "dim") if repeated else ""))
        if following_id not in seen:
            seen.add(following_id)
            _grow(branch, following_id, family, following, limit, seen)


def _headline(member: "Member") -> Text:
    return Text.assemble((member.table, "cyan"), " ", plain(member.row_id), " ", _short(member.said, LABEL_CHARACTERS))


def _short(value: object, characters: int) -> Text:
    text = str(value)
    return plain(text if len(text) <= characters else text[: characters - 1] + "…")
