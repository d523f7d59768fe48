"""The whole graph at a thousand to a million questions, by a replay engine: what a row costs, and what grows with their number.

Every prompt is rendered, every completion journalled, sealed, folded, parsed, validated, checked and committed as in a run: only
the model is replaced, by rules that answer at once (benchmarks/scale_parts/replay.py). Each size has processes and a state
folder of its own; then the real web server opens the instance that the runs left, in the real Chromium where there is one.

`cost_slope` is seconds a row at the largest size over seconds a row at the smallest (of one size: a tenth of it is made before),
where seconds are wall time from a process's first run's start to its last run's end (pictures and registration are before that),
added up over the processes, and rows are all rows of all tables.
`processor_slope` is the same in processor seconds of the processes, which other load on the machine does not lengthen;
`within_slope` in processor seconds of the last fifth of the largest size's runs over its first fifth.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.scale_parts.simulation import MAKE, PROFILE, make, pictures_for, simulate

SIZES = "1000,10000"
SMALLEST = 20
SHARD_SIZE = 64
_OWN = "--in"


def environment(folder: Path) -> dict[str, str]:
    """Of a process that works below ``folder``."""
    profile = folder / "simulation.yaml"
    profile.write_text(PROFILE)
    return {"LGT_STATE": str(folder / "state"), "LGT_PROFILE": str(profile), "HF_HUB_OFFLINE": "1"}


def measure(questions: int, shard_size: int, processes: int, folder: Path, *, pages: bool) -> dict:
    """Figures of one size, made in processes of its own below ``folder``."""
    from benchmarks.scale_parts.sizes import sizes

    variables = environment(folder)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale", "--questions", str(questions)]
    command += ["--pictures-per-shard", str(shard_size), "--processes", str(processes), _OWN, str(folder / "state")]
    load = os.getloadavg()[0]
    done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    found |= {"load_before": round(load, 2), "load_after": round(os.getloadavg()[0], 2)}
    found |= sizes(folder / "state", found["rows"], found["shards"])
    if pages:  # whose failure shall not cost the hour before
        print(json.dumps(found), file=sys.stderr, flush=True)
        from benchmarks.scale_parts.pages import page_loads

        found |= page_loads(folder / "state", variables)
    return found


def sizes_of(asked: str) -> list[int]:
    """Sizes to make, ascending; a single one is preceded by its tenth, as one size has no slope."""
    wanted = sorted({int(size) for size in asked.split(",")})
    if len(wanted) == 1:
        wanted.insert(0, wanted[0] // 10)
    if wanted[0] < SMALLEST:
        raise SystemExit(f"--questions {asked}: {SMALLEST} is the least, {10 * SMALLEST} where it is one size alone")
    return wanted


def slope(sizes: list[dict], of: str) -> float:
    """A cost a row at the largest size over that at the smallest."""
    return round(sizes[-1][of] / sizes[0][of], 3)


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", default=SIZES, help=f"sizes, with commas between them; {SIZES} by default")
    parser.add_argument(
        "--pictures-per-shard",
        type=int,
        default=SHARD_SIZE,
        help="of some 7 questions each; the paper's shards have some 4,000 questions",
    )
    parser.add_argument("--processes", type=int, default=1, help="that make shards at once, each of its own source")
    parser.add_argument("--no-pages", action="store_true", help="leave Dagit out")
    parser.add_argument("--keep", type=Path, help="folder that must not exist, for what the largest size leaves")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(_OWN, dest="own", type=Path, help="for the benchmark's own use")
    parser.add_argument(MAKE, dest="source", help="for the benchmark's own use")
    arguments = parser.parse_args()
    if arguments.own:
        size = int(arguments.questions), arguments.pictures_per_shard, arguments.processes
        print(json.dumps(simulate(arguments.own, *size)))
        return
    if arguments.source:
        print(json.dumps(make(arguments.source)))
        return
    found, wanted = [], sizes_of(arguments.questions)
    if not 1 <= arguments.processes <= (fewest := pictures_for(wanted[0])):
        raise SystemExit(f"--processes {arguments.processes}: from 1 to {fewest}, the pictures of the smallest size")
    for questions in wanted:
        with tempfile.TemporaryDirectory(prefix="lgt-scale-") as folder:
            size = questions, arguments.pictures_per_shard, arguments.processes
            found.append(measure(*size, Path(folder), pages=not arguments.no_pages))
            if arguments.keep and questions == wanted[-1]:
                os.rename(folder, arguments.keep)
                Path(folder).mkdir()
        if not arguments.json:
            show(found[-1])
    figures = found[-1] | {
        "cost_slope": slope(found, "ms_per_row"), "processor_slope": slope(found, "processor_ms_per_row"),
        "sizes": found[:-1],
    }  # fmt: skip
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"cost slope {figures['cost_slope']}, in processor time {figures['processor_slope']}")


def show(found: dict) -> None:
    """One size, for people."""
    print(
        f"{found['questions']} questions of {found['pictures']} pictures in {found['shards']} shards: "
        f"{sum(found['rows'].values())} rows in {found['seconds']} s, {found['rows_per_s']} rows/s, "
        f"{found['ms_per_row']:.3f} ms a row "
        f"({found['processor_ms_per_row']:.3f} of processor), load {found['load_before']} to {found['load_after']}"
    )
    for name, value in found.items():
        if name not in ("questions", "pictures", "shards"):
            print(f"  {name}: {json.dumps(value)}")


if __name__ == "__main__":
    main()
