"""Adding sources: seconds and peak memory of a manifest of N rows and of a tenth of it, and every kind on a small sample.

Each addition runs in a process of its own, into a state folder of its own. The floor is the same process reading and hashing the
same files in a loop, which nobody can spare who names pictures by their sha256. ``declared`` rows say sha256 and size: their
pictures are not opened. ``again`` adds the same manifest once more.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.source_parts.samples import (
    name_of,
    write_coco,
    write_docci,
    write_hub,
    write_manifest,
    write_pictures,
    write_webdataset,
)

SAMPLE = 200
SHARD_SIZE = 512


def add(state: Path, kind: str, options: dict) -> dict:
    """Add a source in this process."""
    from lgt_assets.sources import add_source

    addition = add_source(state, "bench", kind, options, shard_size=SHARD_SIZE)
    return {"added": addition.images_added, "known": addition.images_known, "bad": addition.problems_added}


def hash_files(folder: Path, count: int) -> dict:
    """The floor."""
    import lgt_assets.sources  # noqa: F401 - the same modules in memory

    for number in range(count):
        hashlib.sha256((folder / name_of(number)).read_bytes()).hexdigest()
    return {"added": count}


def in_a_process(work: dict) -> dict:
    """Do ``work`` in a fresh process: what it counted, its seconds and its peak of resident memory in MB."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.sources", "--work", json.dumps(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def work_of(work: dict) -> dict:
    """The child's side."""
    started = time.perf_counter()
    if work["kind"] == "floor":
        found = hash_files(Path(work["folder"]), work["rows"])
    else:
        found = add(Path(work["state"]), work["kind"], work["options"])
    seconds = time.perf_counter() - started
    return found | {"seconds": round(seconds, 2), "rss_mb": round(peak_mb(), 1)}


def peak_mb() -> float:
    """Peak of this process's resident memory. The kernel's, since resource's begins with that of whoever started it."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def manifests(root: Path, rows: int) -> dict:
    """Figures of a manifest of ``rows`` and of a tenth of it."""
    pictures = root / "pictures"
    write_pictures(pictures, rows)
    time.sleep(2.1)  # a file that changed just now is opened again: measured is the ordinary case
    figures: dict = {"rows": rows}
    for name, count in (("tenth", rows // 10), ("all", rows)):
        path = write_manifest(pictures, count, f"{name}.jsonl")
        said = write_manifest(pictures, count, f"{name}-declared.jsonl", declared=True)
        work = {"state": str(root / name), "kind": "manifest", "options": {"path": str(path)}}
        figures[name] = {
            "floor": in_a_process({"kind": "floor", "folder": str(pictures), "rows": count}),
            "new": in_a_process(work),
            "again": in_a_process(work),
            "declared": in_a_process(
                {"state": str(root / f"{name}-declared"), "kind": "manifest", "options": {"path": str(said)}}
            ),
        }
        assert [figures[name][part]["added"] for part in ("new", "again", "declared")] == [count, 0, count], figures
    few, many = figures["tenth"], figures["all"]
    figures["rss_ratio"] = {
        part: round(many[part]["rss_mb"] / few[part]["rss_mb"], 3) for part in ("new", "again", "declared")
    }
    figures["seconds_to_floor"] = round(many["new"]["seconds"] / many["floor"]["seconds"], 2)
    return figures


def kinds(root: Path) -> dict:
    """Every kind on a sample of 200 pictures."""
    writers: dict[str, Callable[[Path, int], dict]] = {
        "docci": write_docci, "coco": write_coco, "hub": write_hub, "webdataset": write_webdataset,
    }  # fmt: skip
    found = {}
    for ending in ("jsonl", "csv", "parquet"):
        folder = root / ending
        write_pictures(folder, SAMPLE)
        options = {"path": str(write_manifest(folder, SAMPLE, f"manifest.{ending}"))}
        found[f"manifest.{ending}"] = in_a_process(
            {"state": str(root / f"state-{ending}"), "kind": "manifest", "options": options}
        )
    for kind, write in writers.items():
        (root / kind).mkdir()
        options = write(root / kind, SAMPLE)
        found[kind] = in_a_process({"state": str(root / f"state-{kind}"), "kind": kind, "options": options})
    assert all(part["added"] == SAMPLE and not part["bad"] for part in found.values()), found
    return found


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", help="of one process; for the benchmark's own use")
    arguments = parser.parse_args()
    if arguments.work is not None:
        print(json.dumps(work_of(json.loads(arguments.work))))
        return
    with tempfile.TemporaryDirectory(prefix="lgt-sources-") as folder:
        figures = manifests(Path(folder), arguments.rows) | {"kinds": kinds(Path(folder) / "kinds")}
    if arguments.json:
        print(json.dumps(figures))
        return
    for part in ("new", "again", "declared"):
        few, many = figures["tenth"][part], figures["all"][part]
        print(
            f"{part}: {many['seconds']} s and {many['rss_mb']:.0f} MB for {figures['rows']:,} rows; "
            f"{few['seconds']} s and {few['rss_mb']:.0f} MB for a tenth"
        )
    print(f"floor: {figures['all']['floor']['seconds']} s; new takes {figures['seconds_to_floor']} times as long")
    for kind, found in figures["kinds"].items():
        print(f"{kind}: {SAMPLE} pictures in {found['seconds']} s, {found['rss_mb']:.0f} MB")


if __name__ == "__main__":
    main()
