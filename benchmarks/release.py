"""`lgt export` of many rows, each with a picture of its own: rows a second against polars, and peak memory as rows grow.

The tables are real Delta tables of sft_mix and images, the pictures real files of distinct bytes (not decoded, as in an export),
the export is the one of `lgt export --format hf`, in a process of its own. The floor is what polars takes to write the very same
rows: `scan_parquet` of the export, `sink_parquet` with zstd. The floor of the memory is the export of 1,000 rows.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.million_rows import text

SIZES = (1_000, 100_000, 1_000_000)
SHARD_ROWS = 4096
PICTURE_BYTES = 8192  # less than any photograph has: the harder case


def make_tables(state: Path, rows: int, picture_bytes: int) -> None:
    """Delta tables of ``rows`` examples on as many pictures."""
    from lgt_assets.schemas import frame
    from lgt_assets.storage import DeltaStore

    store = DeltaStore(str(state / "tables"))
    for start in range(0, rows, SHARD_ROWS):
        shard = f"made-{start // SHARD_ROWS:05}"
        numbers = range(start, min(rows, start + SHARD_ROWS))
        folder = state / "pictures" / shard
        folder.mkdir(parents=True)
        images = [image_row(shard, number, folder, picture_bytes) for number in numbers]
        examples = [example_row(shard, image) for image in images]
        for table, own in (("images", images), ("sft_mix", examples)):
            store.replace(table, frame(table, [row | {"ordinal": n} for n, row in enumerate(own)]), shard=shard)
    for table in ("seed_questions", "composed_questions", "preference_pairs", "rl_prompts"):
        store.create(table)


def image_row(shard: str, number: int, folder: Path, size: int) -> dict:
    content = b"\x89PNG\r\n\x1a\n" + hashlib.shake_128(number.to_bytes(8, "big")).digest(size - 8)
    path, sha256 = folder / f"{number}.png", hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return {
        "shard": shard, "image_id": f"i.{shard}.{sha256[:16]}", "source": "made", "uri": str(path), "sha256": sha256,
        "external_id": None, "width": 640, "height": 480, "caption": "made", "caption_source": "human", "license": "CC0",
        "attribution": None, "split": "validation" if number % 20 == 0 else "train",
    }  # fmt: skip


def example_row(shard: str, image: dict) -> dict:
    from lgt_assets.identity import row_id

    example_id = row_id("sft_mix", shard, image["sha256"])
    turns = (("user", 300), ("assistant", 1500))
    return {
        "shard": shard, "example_id": example_id, "question_id": row_id("seed_questions", shard, image["sha256"]),
        "image_id": image["image_id"], "stage": 1, "recipe": "long",
        "messages": [{"role": role, "content": text(example_id + role, length)} for role, length in turns],
        "images": [image["image_id"]], "origin_id": row_id("expanded_traces", shard, image["sha256"]),
    }  # fmt: skip


def release(state: Path) -> dict:
    """Make a release of the tables, as the asset does."""
    from lgt_assets.assets.release_making import kept_release
    from lgt_assets.settings import load_profile
    from lgt_assets.storage import DeltaStore

    store = DeltaStore(str(state / "tables"))
    started = time.perf_counter()
    kept_release(store, load_profile(), store.shards("images"), root=state / "releases", code_version="benchmark")
    return {"seconds": time.perf_counter() - started, "peak_rss_mb": peak_rss()}


def export(state: Path, out: Path) -> dict:
    """Export it for TRL; rows, seconds and peak memory of this process."""
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.release.exporting import export_release
    from lgt_assets.release.formats.registry import format_named
    from lgt_assets.release.options import Options
    from lgt_assets.release.pins import read_release

    tables = TableFolder(str(state / "tables"))
    options = Options(format_named("hf"), configs=("sft_stage1",))
    started = time.perf_counter()
    exported = export_release(read_release(tables), tables, out, options)
    seconds = time.perf_counter() - started
    return {"rows": sum(one.rows for one in exported.written), "seconds": seconds, "peak_rss_mb": peak_rss()}


def peak_rss() -> float:
    """Megabytes, of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def floor(out: Path, copy: Path) -> dict:
    """The same rows by polars alone."""
    import polars as pl

    started = time.perf_counter()
    pl.scan_parquet(out / "sft_stage1" / "*.parquet").sink_parquet(copy, compression="zstd", compression_level=3)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_rss_mb": peak_rss()}


def measured(step: str, *arguments: object) -> dict:
    """What a step printed, run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.release", step, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def measure(rows: int, picture_bytes: int) -> dict:
    """Tables, export and floor of one size, in a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        make_tables(state, rows, picture_bytes)
        made = measured("--release", state)
        ours = measured("--export", state, Path(folder) / "out")
        plain = measured("--floor", Path(folder) / "out", Path(folder) / "copy.parquet")
    return {
        **ours, "rows_per_s": rows / ours["seconds"], "floor_rows_per_s": rows / plain["seconds"],
        "ratio": plain["seconds"] / ours["seconds"],
        "release_seconds": made["seconds"], "release_peak_rss_mb": made["peak_rss_mb"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--picture-bytes", type=int, default=PICTURE_BYTES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--release", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--export", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--floor", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    steps = {
        "release": lambda path: release(path),
        "export": lambda paths: export(*paths),
        "floor": lambda paths: floor(*paths),
    }
    for name, step in steps.items():
        if getattr(arguments, name):
            print(json.dumps(step(getattr(arguments, name))))
            return
    sizes = {rows: measure(rows, arguments.picture_bytes) for rows in arguments.rows}
    for rows, told in sizes.items():
        print(
            f"{rows:>9,} rows: {told['rows_per_s']:,.0f} rows/s, polars {told['floor_rows_per_s']:,.0f}, "
            f"ratio {told['ratio']:.2f}; peak {told['peak_rss_mb']:,.0f} MB; "
            f"the release itself {told['release_seconds']:,.1f} s, {told['release_peak_rss_mb']:,.0f} MB"
        )
    first, last = (sizes[rows]["peak_rss_mb"] for rows in arguments.rows[-2:]) if len(sizes) > 1 else (1.0, 1.0)
    print(
        f"peak memory {arguments.rows[-1]:,} : {arguments.rows[-2 if len(sizes) > 1 else -1]:,} rows = {last / first:.3f}"
    )
    if arguments.json:
        print(json.dumps({"sizes": sizes, "ratio": sizes[arguments.rows[-1]]["ratio"], "memory_ratio": last / first}))


if __name__ == "__main__":
    main()
