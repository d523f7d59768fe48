"""`lgt store`: the completions that were paid for, beside the tables."""

from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json, table_of

if TYPE_CHECKING:
    from pathlib import Path

    from lgt_assets.engines.shared_chunks import SharedChunks

app = typer.Typer(no_args_is_help=True, help="Look after stored completions.")
SHARDS = Annotated[str, typer.Option("--shards", help="Shards by shell pattern. All by default.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
YES = Annotated[bool, typer.Option("--yes", help="Remove; without it only say what would be removed.")]


def _chosen(pattern: str) -> tuple:
    """The stores' root, the shards that match, and what machines share. Raises as :func:`_matching`."""
    from lgt_assets.resources import Models

    models = Models()
    root, shared = models.response_root, models.shared_responses
    return root, _matching(pattern, root, shared), shared


def _matching(pattern: str, root: "Path", shared: "SharedChunks | None" = None) -> list[str]:
    """The shards that match.

    Raises:
        NotFoundError: none does.
    """
    import fnmatch

    from lgt_assets.engines.store_maintenance import stored_shards
    from lgt_assets.errors import NotFoundError

    shards = [shard for shard in stored_shards(root, shared) if fnmatch.fnmatchcase(shard, pattern)]
    if not shards:
        place = shared.store.root if shared is not None else root
        raise NotFoundError(f"no completions are stored for shards like {pattern!r} in {place}")
    return shards


@app.command()
def stats(shards: SHARDS = "*", as_json: JSON = False) -> None:
    """What is stored, by shard: completions, bytes, tokens, models; with LGT_STORE also what lies there."""
    from lgt_assets.engines import store_maintenance

    root, chosen, shared = _chosen(shards)
    rows = [store_maintenance.stats(root, shard, shared) for shard in chosen]
    if as_json:
        print_json({"shards": rows})
        return
    counts = ("completions", "bytes", "chunks", "journals", "set_aside", "prompt_tokens", "completion_tokens")
    there = ("bytes", "chunks", "completions_here_alone") if shared is not None else ()
    cells = [
        (
            row["shard"],
            *(f"{row[name]:,}" for name in counts),
            *(f"{row['shared'][name]:,}" for name in there),
            ", ".join(f"{k} {v:,}" for k, v in row["models"].items()),
        )
        for row in rows
    ]
    names = (*counts, *("shared " + name if name != "completions_here_alone" else "not shared yet" for name in there))
    headings = dict.fromkeys((name.replace("_", " ") for name in names), "right")
    output().print(table_of({"shard": "left"} | headings | {"models": "left"}, cells))


@app.command()
def verify(shards: SHARDS = "*", as_json: JSON = False) -> None:
    """Check every checksum; name what is torn, foreign, or stored twice with different texts. Exit code 1 if anything is."""
    from lgt_assets.engines import store_maintenance

    root, chosen, shared = _chosen(shards)
    problems = [problem for shard in chosen for problem in store_maintenance.verify(root, shard, shared)]
    if as_json:
        print_json({"shards": len(chosen), "problems": problems})
    else:
        for problem in problems:
            output().print(plain(problem))
        output().print(f"{len(chosen)} shards, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@app.command()
def gc(shards: SHARDS = "*", yes: YES = False, as_json: JSON = False) -> None:
    """Remove completions that no row names and that no asset would ask for again, and files that were set aside.

    What a rejection names is needed: a better parser may want it. Everything an asset might ask for with the present profile
    and prompts is needed too, so run it with the profile that the tables are made with. With LGT_STORE it is refused while runs
    are active: another machine's are seen in no lock.
    """
    import lgt_assets.definitions  # noqa: F401 - the assets say what they would ask for
    from lgt_assets.assets.needs import needed
    from lgt_assets.engines.store_garbage import find_garbage, remove_garbage
    from lgt_assets.resources import Models, Tables

    root, chosen, shared = _chosen(shards)
    models, tables = Models(), Tables().store()
    if yes and shared is not None:
        _require_no_runs()
    rows = []
    for shard in chosen:
        is_needed = needed(models, tables, shard)
        found = find_garbage(root, shard, is_needed, shared)
        rows.append(found)
        if not as_json:
            state = " (in use: left alone)" if found.in_use else ""
            output().print(
                f"{shard}: {found.completions:,} completions of {found.tokens:,} tokens, {len(found.files)} files{state}"
            )
        if yes and not found.in_use:
            remove_garbage(root, shard, is_needed, shared)
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("completions", "tokens")}
    files = sum(len(row.files) for row in rows)
    in_use = [row.shard for row in rows if row.in_use]
    if as_json:
        print_json({"removed": yes, "shards": len(rows), "files": files, "in_use": in_use} | totals)
    elif not yes:
        output().print("nothing was removed: say --yes to remove this")


def _require_no_runs() -> None:
    from lgt_assets.assets.maintenance import require_no_runs
    from lgt_assets.instance import open_instance

    with open_instance() as instance:
        require_no_runs(instance, what="gc")


@app.command()
def share(shards: SHARDS = "*", as_json: JSON = False) -> None:
    """Put the completions that this machine made before LGT_STORE was set there; what is there already stays."""
    from lgt_assets.engines.store_maintenance import share_chunks
    from lgt_assets.errors import SettingsError
    from lgt_assets.resources import Models
    from lgt_assets.settings import state_folder

    shared, root = Models().shared_responses, state_folder() / "responses"
    if shared is None:
        raise SettingsError("set LGT_STORE to the address where machines share completions")
    chosen = _matching(shards, root)
    chunks = sum(share_chunks(root, shard, shared) for shard in chosen)
    if as_json:
        print_json({"shards": len(chosen), "chunks": chunks})
    else:
        output().print(
            f"{len(chosen)} shards of {plain(str(root))}: {chunks:,} chunks put below {plain(shared.store.root)}"
        )
