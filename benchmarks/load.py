"""Code-location load time against a bare ``import dagster``: what every run and every Dagit reload pays."""

import argparse
import json
import statistics
import subprocess
import sys
import time

FLOOR = "import dagster"
OURS = "from lgt_assets.definitions import defs; defs.resolve_asset_graph()"


def seconds(statement: str) -> float:
    """Wall seconds of a fresh interpreter that runs ``statement``."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", statement], check=True)
    return time.perf_counter() - started


def measure(runs: int) -> dict[str, float]:
    """Medians over ``runs`` interleaved runs after one warm-up of each."""
    seconds(FLOOR), seconds(OURS)
    pairs = [(seconds(OURS), seconds(FLOOR)) for _ in range(runs)]
    ratio = statistics.median(ours / floor for ours, floor in pairs)
    return {
        "ours_s": round(statistics.median(ours for ours, _ in pairs), 3),
        "floor_s": round(statistics.median(floor for _, floor in pairs), 3),
        "load_ratio": round(ratio, 3),
    }


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"code location {figures['ours_s']} s, import dagster {figures['floor_s']} s: {figures['load_ratio']}x")


if __name__ == "__main__":
    main()
