"""What a table costs as its slices become many: milliseconds of processor for a commit, a read by name, and opening it anew.

The files are made by few commits, so that only their number is large. ``kept`` is what keeping a table open is worth: commits of
new slices one after the other, from one that is opened anew after every ``table_handles.PIECES`` of them, as the platform does,
from one that never is, and from one that always is.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable

from lgt_assets import table_handles

TABLE = "images"
AT_ONCE = 1000
REPEATS = 32
NEVER = 10**9


def milliseconds(work: Callable[[int], object], repeats: int = REPEATS) -> float:
    """Mean processor time of ``work``, which is told how often it was done."""
    started = time.process_time()
    for turn in range(repeats):
        work(turn)
    return round((time.process_time() - started) * 1000 / repeats, 1)


def costs(files: int) -> dict:
    """Costs with so many slices of a row each."""
    import polars as pl

    from lgt_assets.schemas import frame
    from lgt_assets.storage import DeltaStore
    from lgt_assets_tests.rows import image_row

    row = frame(TABLE, [image_row(0, shard="s-00000")])
    with tempfile.TemporaryDirectory(prefix="lgt-slices-") as root:
        store = DeltaStore(root)
        for first in range(0, files, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, files))
            store.append(
                TABLE, pl.concat([row] * len(numbers)).with_columns(shard=pl.Series([f"s-{n:05d}" for n in numbers]))
            )
        store.open(TABLE).create_checkpoint()
        table_handles.forget(store.uri(TABLE))
        commit_new(store, "warm")
        found = {
            "commit_ms": milliseconds(lambda turn: commit_new(store, f"new-{turn:05d}")),
            "read_ms": milliseconds(lambda _turn: store.read(TABLE, shards=["s-00001"])),
            "slice_version_ms": milliseconds(lambda _turn: store.slice_version(TABLE, "s-00001")),
            "open_ms": milliseconds(lambda _turn: store.open(TABLE)),
        }
        assert store.read(TABLE, shards=["s-00001"]).height == 1
        return {"files": files} | found


def commit_new(store, shard: str) -> None:
    """Commit a slice that was not there."""
    from lgt_assets.schemas import frame
    from lgt_assets_tests.rows import image_row

    store.replace(TABLE, frame(TABLE, [image_row(0, shard=shard)]), shard=shard)


def kept(commits: int) -> dict[str, float]:
    """What each of the next commits costs after so many, by how often the table is opened anew."""
    from lgt_assets.storage import DeltaStore

    usual, found = table_handles.PIECES, {}
    try:
        for name, pieces in {"usual_ms": usual, "never_anew_ms": NEVER, "always_anew_ms": 0}.items():
            table_handles.PIECES = pieces
            with tempfile.TemporaryDirectory(prefix="lgt-slices-") as root:
                store = DeltaStore(root)
                for turn in range(commits):
                    commit_new(store, f"s-{turn:05d}")
                found[name] = milliseconds(lambda turn, store=store: commit_new(store, f"z-{turn:05d}"))
    finally:
        table_handles.PIECES = usual
    return found


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", default="200,2000", help="numbers of slices, with commas between them")
    parser.add_argument("--commits", type=int, default=200, help="made before what is measured")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sizes = [costs(int(files)) for files in arguments.files.split(",")]
    after = kept(arguments.commits)
    if arguments.json:
        print(json.dumps({"sizes": sizes, "commits": arguments.commits, "kept": after}))
        return
    for found in sizes:
        print(", ".join(f"{name} {value}" for name, value in found.items()))
    figures = ", ".join(f"{name} {value}" for name, value in after.items())
    print(f"after {arguments.commits} commits each of the next {REPEATS} takes: {figures}")


if __name__ == "__main__":
    main()
