"""`lgt show ID`: a row, what it was made from, and what was made from it."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from lgt_assets.commands.console import output, plain
from lgt_assets.lineage import Family, Member

VALUE_CHARACTERS = 2000
LABEL_CHARACTERS = 100
EDGES = ("x0", "y0", "x1", "y1")
REQUEST_FIELDS = (
    "role",
    "engine",
    "model",
    "revision",
    "template_hash",
    "sampling",
    "seed",
    "prompt",
    "prefix",
    "text",
)
ID = Annotated[str, typer.Argument(metavar="ID", help="A row's id, such as q.scenes-00000.0123456789abcdef.")]
LIMIT = Annotated[int, typer.Option("--limit", min=1, help="Children shown per row.")]
REQUEST = Annotated[bool, typer.Option("--request", help="Show the request and the raw completion as well.")]


def show(row_id: ID, limit: LIMIT = 10, request: REQUEST = False) -> None:
    """Show a row with its ancestors and descendants as a tree; only its shard is opened."""
    from lgt_assets.identity import parse_row_id
    from lgt_assets.lineage import read_family, read_generation, read_row
    from lgt_assets.resources import Tables

    store = Tables().store()
    row = read_row(store, row_id)
    shard = parse_row_id(row_id).shard
    generation = read_generation(store, shard, row["request_key"]) if request and row.get("request_key") else None
    output().print(row_tree(row_id, row, read_family(store, shard), generation=generation, limit=limit))


def row_tree(row_id: str, row: dict, family: Family, *, generation: dict | None = None, limit: int = 10) -> Tree:
    """The tree that is shown: the row's values, its request, what is above it and what is below it."""
    tree = Tree(_headline(family.members[row_id]))
    values = tree.add(Text("row", style="bold"))
    for name, value in row.items():
        values.add(Group(Text.assemble((f"{name}: ", "dim"), _short(value, VALUE_CHARACTERS))))
    if generation is not None:
        asked = tree.add(Text("request", style="bold"))
        for name in REQUEST_FIELDS:
            asked.add(Text.assemble((f"{name}: ", "dim"), _short(generation[name], VALUE_CHARACTERS)))
    _grow(tree.add(Text("ancestors", style="bold")), row_id, family, family.parents, limit, set())
    _grow(
        tree.add(Text("descendants", style="bold")), row_id, family, lambda i: family.children.get(i, []), limit, set()
    )
    return tree


def _grow(
    tree: Tree, row_id: str, family: Family, following: Callable[[str], Sequence[str]], limit: int, seen: set[str]
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


def _headline(member: Member) -> Text:
    values = ", ".join(f"{value:.0f}" if name in EDGES else str(value) for name, value in member.values.items())
    return Text.assemble((member.table, "cyan"), " ", plain(member.row_id), " ", _short(values, LABEL_CHARACTERS))


def _short(value: object, characters: int) -> Text:
    text = str(value)
    return plain(text if len(text) <= characters else text[: characters - 1] + "…")
