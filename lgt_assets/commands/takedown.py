"""`lgt takedown`: remove a picture with all that was made of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, output, plain, print_json, table_of

if TYPE_CHECKING:
    from lgt_assets.takedown.plan import Plan
    from lgt_assets.takedown.taking_down import Places

IMAGES = Annotated[
    list[str] | None, typer.Argument(metavar="IMAGE...", help="image_id, sha256, or where the picture lies.")
]
YES = Annotated[bool, typer.Option("--yes", help="Remove; without it only list what would be removed.")]
EXPORT = Annotated[
    list[Path] | None,
    typer.Option(
        "--export", metavar="DIR", help="Say whether this export holds it, too; it is yours, and not touched."
    ),
]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def takedown(images: IMAGES = None, yes: YES = False, export: EXPORT = None, as_json: JSON = False) -> None:
    """Remove pictures with every row, completion, file and release line below them; without IMAGE, list past takedowns.

    A takedown that was interrupted is completed by the next one with --yes. Refused while runs are active.
    """
    from lgt_assets.assets.takedown import require_in_reach
    from lgt_assets.resources import Models, Tables
    from lgt_assets.settings import state_folder
    from lgt_assets.takedown.taking_down import Places, make_plan, unfinished

    places = Places(Tables().store(), state_folder(), Models().response_root)
    left = unfinished(places.state)
    if left is not None:
        notices().print(plain(f"interrupted: `{left.command}` of {left.began_at}; --yes completes it"))
    if yes:
        plans = _take_down(places, images or [], as_json)
    elif images:
        require_in_reach()
        plans = [make_plan(places, images)]
    else:
        _list(places, as_json)
        return
    if as_json:
        print_json({"removed": yes, "takedowns": [_as_object(places, plan, export or []) for plan in plans]})
        return
    for plan in plans:
        _print(places, plan, export or [])
    if not yes:
        output().print("nothing was removed: say --yes to remove this")


def _take_down(places: "Places", images: list[str], as_json: bool) -> "list[Plan]":
    from lgt_assets.assets.takedown import take_down
    from lgt_assets.instance import open_instance

    console = notices()
    with open_instance() as instance:
        return take_down(instance, places, images, lambda said: None if as_json else console.print(plain(said)))


def _as_object(places: "Places", plan: "Plan", exports: list[Path]) -> dict:
    from lgt_assets.takedown.named import copies_of_ours

    ours, theirs = copies_of_ours(plan.pictures, places.state)
    return {
        "pictures": plan.image_ids, "shards": plan.shards, "rows": {table: len(ids) for table, ids in plan.rows.items()},
        "files": [str(path) for path in ours], "originals": theirs, "releases_given_up": plan.releases,
        "exports": _holding(exports, plan),
    }  # fmt: skip


def _holding(exports: list[Path], plan: "Plan") -> list[str]:
    from lgt_assets.takedown.exports import holds_release

    return [str(folder) for folder in exports if holds_release(folder, plan.releases)]


def _print(places: "Places", plan: "Plan", exports: list[Path]) -> None:
    from lgt_assets.takedown.named import copies_of_ours

    console = output()
    console.print(plain(f"{', '.join(plan.image_ids)}"))
    rows = [(table, f"{len(ids):,}") for table, ids in plan.rows.items()]
    console.print(table_of({"table": "left", "rows": "right"}, rows))
    ours, theirs = copies_of_ours(plan.pictures, places.state)
    for path in ours:
        console.print(plain(f"file of the project: {path}"))
    for uri in theirs:
        console.print(plain(f"your original, which stays: {uri}"))
    for release in plan.releases:
        console.print(
            plain(f"can no longer be rebuilt: release {release}; exports of it are yours, and hold the picture")
        )
    for folder in _holding(exports, plan):
        console.print(plain(f"export that holds it, and stays: {folder}"))


def _list(places: "Places", as_json: bool) -> None:
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.takedown.records import takedowns

    rows = takedowns(TableFolder(places.store.root, places.store.storage_options))
    names = ("image_id", "taken_down_at", "command", "releases")
    if as_json:
        print_json({"takedowns": [{name: row[name] for name in names} for row in rows]})
        return
    cells = [(*(row[name] for name in names[:3]), ", ".join(row["releases"])) for row in rows]
    columns = dict.fromkeys(("picture", "when", "command", "releases that can no longer be rebuilt"), "left")
    output().print(table_of(columns, cells))
