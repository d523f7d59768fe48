"""The process that makes one size: pictures, registration, every partitioned asset in runs of eight shards, and its own figures.

Runs are executed here as `lgt run` executes them: the definitions, instance, gates, checks, store and tables are real, and
all runs of a size are in one process, so that what a process gathers over the runs would show.
"""

import math
import os
import resource
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.scale_parts.replay import ReplayEngine
from benchmarks.scale_parts.scenes import write_manifest

SOURCE = "pictures"
# Questions that the checks let through of one picture, in the mean; it only decides how many pictures a size takes.
QUESTIONS_A_PICTURE = 7.6
ASSETS = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts",
)  # fmt: skip
PROFILE = """
name: simulation
prompts: embedded
models: {replay: {engine: scripted, model: replay}}
roles:
  questioner: {model: replay, sampling: {temperature: 0.7, max_tokens: 260}}
  composer: {model: replay, sampling: {temperature: 0.5, max_tokens: 260}}
  vlm: {model: replay, sampling: {temperature: 1.4, max_tokens: 300, stop: ["</answer>"], include_stop: true}}
  reasoner: {model: replay, sampling: {temperature: 1.0, max_tokens: 340, stop: ["</answer>"], include_stop: true}}
  verifier: {model: replay, sampling: {temperature: 0.7, max_tokens: 260, stop: ["</answer>"], include_stop: true}}
questions:
  per_image: 6
  types: [Recognition, Counting, Spatial, Comparison]
  focus_sizes_by_type: {Recognition: [1], Counting: [1, 0], Spatial: [1, 2, 0], Comparison: [2]}
  key_votes: 1
  blindness_votes: 2
compose: {per_image: 3, parents: 3, kinds_from: scene_grammar, support_votes: 1, necessity_votes: 1, blindness_votes: 2}
distill: {samples: 2}
expand: {chains_per_question: 1, samples: 1, consistency_votes: 1, behaviour_sample: 16}
"""
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


def pictures_for(questions: int) -> int:
    """How many pictures it takes to get about so many questions."""
    return math.ceil(questions / QUESTIONS_A_PICTURE)


def simulate(state: Path, questions: int, shard_size: int) -> dict:
    """Make everything below ``state``, which is this process's ``$LGT_STATE``; figures of what it took."""
    from lgt_assets import resources, runs
    from lgt_assets.assets.registration import register
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Models, Tables

    folder = state / "given"
    folder.mkdir(parents=True)
    manifest = write_manifest(folder, pictures_for(questions))
    with open_instance() as instance:
        started = time.monotonic()
        added = register(instance, Tables().store(), SOURCE, "manifest", {"path": str(manifest)}, shard_size=shard_size)
        registered_s = time.monotonic() - started
        usage, engine = Usage(), ReplayEngine()
        resources._open_engines[Models().profile.models["replay"].model_dump_json()] = engine
        summary = runs.run(instance, selection=",".join(ASSETS))
        usage.close()
        assert not summary.failures, summary.failures
        took = run_figures(instance, usage)
        rows, shards = counted(instance, list(added.new_shards)), len(added.new_shards)
    assert rows["generations"] == engine.answered, (rows["generations"], engine.answered)
    total = sum(rows.values())
    return {
        "questions": rows["seed_questions"] + rows["composed_questions"], "pictures": added.images_added, "shards": shards,
        "rows": rows, "rows_per_s": round(total / took["seconds"], 1), "seconds": round(took["seconds"], 2),
        "ms_per_row": took["seconds"] * 1000 / total, "processor_ms_per_row": took["processor_s"] * 1000 / total,
        "seconds_per_shard": round(took["seconds"] / shards, 3),
        "seconds_per_shard_by_asset": {name: round(took["steps"][name] / shards, 4) for name in sorted(took["steps"])},
        "between_steps_s_per_shard": round((took["seconds"] - sum(took["steps"].values())) / shards, 4),
        "engine_processor_s": round(engine.seconds, 2), "register_s": round(registered_s, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peak_rss_mb_by_fifth": took["rss_by_fifth"], "within_slope": took["within_slope"],
        "ms_per_row_by_fifth": took["by_fifth"],
    }  # fmt: skip


def counted(instance, shards: list[str]) -> dict[str, int]:
    """Rows of each table; every shard must be in each asset's event log with just the rows that its table holds."""
    import dagster as dg

    from lgt_assets.assets.upstream import ROW_COUNT
    from lgt_assets.resources import Tables

    store, rows = Tables().store(), {}
    for name in (*ASSETS, "generations", "rejections", "funnel", "failures", "shard_members", "picture_hashes"):
        held = dict(store.scan(name).group_by("shard").len().collect(engine="streaming").iter_rows())
        rows[name] = sum(held.values())
        if name in ASSETS:
            filter_ = dg.AssetRecordsFilter(dg.AssetKey(name))
            records = instance.fetch_materializations(filter_, limit=len(shards) + 1).records
            said = {r.partition_key: r.asset_materialization.metadata[ROW_COUNT].value for r in records}
            assert len(records) == len(said) and set(said) == set(shards), (
                f"{name}: {len(said)} of {len(shards)} shards"
            )
            assert {shard: held.get(shard, 0) for shard in shards} == said, (
                f"{name}: rows that the event log does not have"
            )
    assert not rows["failures"]
    return rows


def run_figures(instance, usage: Usage) -> dict:
    """Seconds of all runs by step, and how cost a row and memory went from the first fifth of the runs to the last."""
    from lgt_assets.resources import Tables

    records = sorted(instance.get_run_records(), key=lambda record: record.start_time)
    made = dict(Tables().store().scan("funnel").group_by("shard").agg(rows_of_funnel()).collect().iter_rows())
    steps: dict[str, float] = defaultdict(float)
    costs = []
    for record in records:
        for step in instance.get_run_step_stats(record.dagster_run.run_id):
            steps[step.step_key] += step.end_time - step.start_time
        rows = sum(made[shard] for shard in shards_of(record.dagster_run.tags, sorted(made)))
        costs.append((record.start_time, record.end_time, rows))
    seconds = costs[-1][1] - costs[0][0]
    fifths = []
    for n in range(5):
        part = costs[len(costs) * n // 5 : len(costs) * (n + 1) // 5]
        if part:
            start, end, rows = part[0][0], part[-1][1], sum(rows for _start, _end, rows in part)
            fifths.append(
                (
                    (end - start) * 1000 / rows,
                    usage.processor_between(start, end) * 1000 / rows,
                    usage.peak_between(start, end),
                )
            )
    return {
        "seconds": seconds, "steps": steps, "processor_s": usage.processor_between(costs[0][0], costs[-1][1]),
        "by_fifth": [{"wall": round(wall, 4), "processor": round(own, 4)} for wall, own, _rss in fifths],
        "rss_by_fifth": [round(rss, 1) for *_cost, rss in fifths],
        "within_slope": round(fifths[-1][1] / fifths[0][1], 3) if len(fifths) == 5 else None,
    }  # fmt: skip


def rows_of_funnel():
    """Rows that a shard's assets and its completions make together: what costs are divided by."""
    import polars as pl

    return (pl.col("accepted") + pl.col("rejected") + pl.col("requests_sent")).sum()


def shards_of(tags: dict[str, str], shards: list[str]) -> list[str]:
    """Shards of a run over a range."""
    from lgt_assets.runs import RANGE_END, RANGE_START

    return [shard for shard in shards if tags[RANGE_START] <= shard <= tags[RANGE_END]]
