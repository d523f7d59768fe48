"""`lgt store`: the completions that were paid for, beside the tables."""

from typing import Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json, table_of

app = typer.Typer(no_args_is_help=True, help="Look after stored completions.")
SHARDS = Annotated[str, typer.Option("--shards", help="Shards by shell pattern. All by default.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
YES = Annotated[bool, typer.Option("--yes", help="Remove; without it only say what would be removed.")]


def _chosen(pattern: str) -> tuple:
    """The stores' root and the shards that match.

    Raises:
        NotFoundError: none does.
    """
    import fnmatch

    from lgt_assets.engines.store_maintenance import stored_shards
    from lgt_assets.errors import NotFoundError
    from lgt_assets.resources import Models

    root = Models().response_root
    shards = [shard for shard in stored_shards(root) if fnmatch.fnmatchcase(shard, pattern)]
    if not shards:
        raise NotFoundError(f"no completions are stored for shards like {pattern!r} in {root}")
    return root, shards


@app.command()
def stats(shards: SHARDS = "*", as_json: JSON = False) -> None:
    """What is stored, by shard: completions, bytes, tokens, models."""
    from lgt_assets.engines import store_maintenance

    root, chosen = _chosen(shards)
    rows = [store_maintenance.stats(root, shard) for shard in chosen]
    if as_json:
        print_json({"shards": rows})
        return
    counts = ("completions", "bytes", "chunks", "journals", "set_aside", "prompt_tokens", "completion_tokens")
    cells = [
        (
            row["shard"],
            *(f"{row[name]:,}" for name in counts),
            ", ".join(f"{k} {v:,}" for k, v in row["models"].items()),
        )
        for row in rows
    ]
    headings = dict.fromkeys((name.replace("_", " ") for name in counts), "right")
    output().print(table_of({"shard": "left"} | headings | {"models": "left"}, cells))


@app.command()
def verify(shards: SHARDS = "*", as_json: JSON = False) -> None:
    """Check every checksum; name what is torn, foreign, or stored twice with different texts. Exit code 1 if anything is."""
    from lgt_assets.engines import store_maintenance

    root, chosen = _chosen(shards)
    problems = [problem for shard in chosen for problem in store_maintenance.verify(root, shard)]
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
    and prompts is needed too, so run it with the profile that the tables are made with.
    """
    import lgt_assets.definitions  # noqa: F401 - the assets say what they would ask for
    from lgt_assets.assets.needs import needed
    from lgt_assets.engines.store_maintenance import find_garbage, remove_garbage
    from lgt_assets.resources import Models, Tables

    root, chosen = _chosen(shards)
    models, tables = Models(), Tables().store()
    rows = []
    for shard in chosen:
        is_needed = needed(models, tables, shard)
        found = find_garbage(root, shard, is_needed)
        rows.append(found)
        if not as_json:
            state = " (in use: left alone)" if found.in_use else ""
            output().print(
                f"{shard}: {found.completions:,} completions of {found.tokens:,} tokens, {len(found.files)} files{state}"
            )
        if yes and not found.in_use:
            remove_garbage(root, shard, is_needed)
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("completions", "tokens")}
    files = sum(len(row.files) for row in rows)
    in_use = [row.shard for row in rows if row.in_use]
    if as_json:
        print_json({"removed": yes, "shards": len(rows), "files": files, "in_use": in_use} | totals)
    elif not yes:
        output().print("nothing was removed: say --yes to remove this")
