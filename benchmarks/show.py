"""Seconds of whole `lgt show` and `lgt diff` processes on the real Delta tables of `benchmarks.million_rows`.

The diff compares the two last versions of the large shard's traces. The floor imports polars and deltalake, no more.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.million_rows import LARGE, SHARDS, build

FLOOR = [sys.executable, "-W", "ignore", "-c", "import polars, deltalake"]
# A process's peak is never less than that of the one that started it (Linux keeps it through exec): so a small one starts it.
LAUNCHER = """
import os, sys, time
started = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(f"\\n{time.perf_counter() - started} {usage.ru_maxrss}", file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def seconds(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds of a process that succeeds, and its peak of resident memory in MB."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    took, peak = map(float, done.stderr.splitlines()[-1].split())
    return took, peak / (1024**2 if sys.platform == "darwin" else 1024)


def measure(state: Path, runs: int) -> dict[str, float]:
    """Medians over interleaved runs after one warm-up of each command."""
    environment = os.environ | {"LGT_STATE": str(state), "PYTHONWARNINGS": "ignore"}
    lgt, page = [sys.executable, "-m", "lgt_assets.cli"], str(state / "page.html")
    ids = {shard: id_in(state, shard) for shard in ("made-00100", LARGE)}
    commands = {
        "show": [*lgt, "show", ids["made-00100"]], "html": [*lgt, "show", ids["made-00100"], "--html", page],
        "large_show": [*lgt, "show", ids[LARGE]], "large_html": [*lgt, "show", ids[LARGE], "--html", page],
        "large_picture_html": [*lgt, "show", picture_in(state, LARGE), "--html", page],
        "key": [*lgt, "show", completion_in(state)], "diff": [*lgt, "diff", "expanded_traces"], "floor": FLOOR,
    }  # fmt: skip
    require_differences([*commands["diff"], "--json"], environment)
    for command in commands.values():
        seconds(command, environment)
    taken = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(seconds(command, environment))
    return {f"{name}_s": round(statistics.median(took for took, _ in own), 3) for name, own in taken.items()} | {
        f"{name}_rss_mb": round(max(peak for _, peak in own))
        for name, own in taken.items()
        if name in ("show", "large_html", "diff")
    }


def require_differences(command: list[str], environment: dict[str, str]) -> None:
    """A diff that finds nothing to compare would be timed for nothing."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert min(rows[kind] for kind in ("removed", "added", "changed")) > 0, rows


def id_in(state: Path, shard: str) -> str:
    """A question in the middle of a shard's first picture."""
    rows = pl.scan_delta(str(state / "tables/seed_questions")).filter(pl.col("shard") == shard)
    return rows.sort("ordinal").select("question_id").head(4).collect()["question_id"][3]


def picture_in(state: Path, shard: str) -> str:
    """A picture of a shard."""
    rows = pl.scan_delta(str(state / "tables/images")).filter(pl.col("shard") == shard)
    return rows.sort("ordinal").select("image_id").head(1).collect()["image_id"][0]


def completion_in(state: Path) -> str:
    """The key of a completion of a shard; its shard is not told."""
    rows = pl.scan_delta(str(state / "tables/generations")).filter(pl.col("shard") == "made-00200")
    return rows.select("request_key").head(1).collect()["request_key"][0]


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--state", type=Path, default=None, help="folder to keep the tables in; used again if it has them"
    )
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lgt-show-") as folder:
        state = arguments.state or Path(folder)
        counts = state / "rows.json"
        if not counts.exists():
            state.mkdir(parents=True, exist_ok=True)
            counts.write_text(json.dumps(build(state, arguments.rows)))
        if arguments.build_only:
            return
        total = json.loads(counts.read_text())
        figures = {
            "rows": sum(total.values()),
            "shards": SHARDS,
            **measure(state, arguments.runs),
            "rows_by_table": total,
        }
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(name, value)


if __name__ == "__main__":
    main()
