"""What the runs of a simulation cost: a process's own, and all of them together."""

import os
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

_SAMPLED_SECONDS = 0.25


@dataclass
class Usage:
    """Resident memory and processor seconds of this process over time, sampled by a thread of its own."""

    times: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
        while True:
            self.times.append(time.time())
            self.processor_s.append(time.process_time())
            self.resident_mb.append(int(Path("/proc/self/statm").read_text().split()[1]) * page_mb)
            if self._stop.wait(_SAMPLED_SECONDS):
                return

    def close(self) -> None:
        """Sample no more."""
        self._stop.set()
        self._thread.join()

    def processor_between(self, start: float, end: float) -> float:
        """Processor seconds from one moment to another, to the nearest sample."""
        first, last = (min(bisect_right(self.times, moment), len(self.times) - 1) for moment in (start, end))
        return self.processor_s[last] - self.processor_s[first]

    def peak_between(self, start: float, end: float) -> float:
        """Most resident megabytes from one moment to another."""
        return max(self.resident_mb[bisect_right(self.times, start) - 1 : bisect_right(self.times, end) + 1])


def costs_of(instance, usage: Usage, source: str) -> dict:
    """Of this process's runs, which are those of ``source``: from when to when, seconds by step, and each fifth of the runs.

    A fifth has ``seconds``, ``processor_s``, ``rows`` and ``rss_mb``; fewer than five runs leave some out (None).
    """
    from lgt_assets.resources import Tables
    from lgt_assets.runs import RANGE_START

    records = [
        record for record in instance.get_run_records() if record.dagster_run.tags[RANGE_START].startswith(f"{source}-")
    ]
    records.sort(key=lambda record: record.start_time)
    made = dict(Tables().store().scan("funnel").group_by("shard").agg(rows_of_funnel()).collect().iter_rows())
    steps: dict[str, float] = defaultdict(float)
    runs = []
    for record in records:
        for step in instance.get_run_step_stats(record.dagster_run.run_id):
            steps[step.step_key] += step.end_time - step.start_time
        rows = sum(made[shard] for shard in shards_of(record.dagster_run.tags, sorted(made)))
        runs.append((record.start_time, record.end_time, rows))
    parts = [runs[len(runs) * n // 5 : len(runs) * (n + 1) // 5] for n in range(5)]
    start, end = runs[0][0], runs[-1][1]
    return {
        "start": start, "end": end, "processor_s": usage.processor_between(start, end), "steps": steps,
        "fifths": [_stretch(part, usage) if part else None for part in parts],
    }  # fmt: skip


def _stretch(runs: list[tuple[float, float, int]], usage: Usage) -> dict:
    start, end = runs[0][0], runs[-1][1]
    return {
        "seconds": end - start, "processor_s": usage.processor_between(start, end),
        "rows": sum(rows for _start, _end, rows in runs), "rss_mb": usage.peak_between(start, end),
    }  # fmt: skip


def figures_of(costs: list[dict], rows: int, shards: int) -> dict:
    """What the processes' runs cost together; seconds a row are those of all processes, added up."""
    seconds = max(one["end"] for one in costs) - min(one["start"] for one in costs)
    spent = sum(one["end"] - one["start"] for one in costs)
    steps: dict[str, float] = defaultdict(float)
    for one in costs:
        for name, took in one["steps"].items():
            steps[name] += took
    fifths = [[part for part in parts if part] for parts in zip(*[one["fifths"] for one in costs], strict=True)]
    by_fifth = [
        {"wall": _each_row(parts, "seconds"), "processor": _each_row(parts, "processor_s")} for parts in fifths if parts
    ]
    return {
        "rows_per_s": round(rows / seconds, 1), "seconds": round(seconds, 2), "ms_per_row": spent * 1000 / rows,
        "processor_ms_per_row": sum(one["processor_s"] for one in costs) * 1000 / rows,
        "seconds_per_shard": round(spent / shards, 3),
        "seconds_per_shard_by_asset": {name: round(steps[name] / shards, 4) for name in sorted(steps)},
        "between_steps_s_per_shard": round((spent - sum(steps.values())) / shards, 4),
        "peak_rss_mb_by_fifth": [round(max(part["rss_mb"] for part in parts), 1) for parts in fifths if parts],
        "ms_per_row_by_fifth": by_fifth,
        "within_slope": round(by_fifth[-1]["processor"] / by_fifth[0]["processor"], 3) if len(by_fifth) == 5 else None,
    }  # fmt: skip


def _each_row(parts: list[dict], of: str) -> float:
    """Milliseconds."""
    return round(sum(part[of] for part in parts) * 1000 / sum(part["rows"] for part in parts), 4)


def rows_of_funnel():
    """Rows that a shard's assets and its completions make together: what costs are divided by."""
    import polars as pl

    return (pl.col("accepted") + pl.col("rejected") + pl.col("requests_sent")).sum()


def shards_of(tags: dict[str, str], shards: list[str]) -> list[str]:
    """Shards of a run over a range."""
    from lgt_assets.runs import RANGE_END, RANGE_START

    return [shard for shard in shards if tags[RANGE_START] <= shard <= tags[RANGE_END]]
