"""The processes that make one size: pictures and registration in one, then every partitioned asset of each source in its own.

Runs are executed as `lgt run` executes them: the definitions, instance, gates, checks, store and tables are real, and all
runs of a source are in one process, so that what a process gathers over the runs would show.
"""

import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.scale_parts.replay import ReplayEngine
from benchmarks.scale_parts.run_costs import Usage, costs_of, figures_of
from benchmarks.scale_parts.scenes import write_manifest

# Questions that the checks let through of one picture, in the mean; it only decides how many pictures a size takes.
QUESTIONS_A_PICTURE = 7.6
ASSETS = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts",
)  # fmt: skip
MAKE = "--make"
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


def pictures_for(questions: int) -> int:
    """How many pictures it takes to get about so many questions."""
    return math.ceil(questions / QUESTIONS_A_PICTURE)


def simulate(state: Path, questions: int, shard_size: int, processes: int = 1) -> dict:
    """Make everything below ``state``, which is this process's ``$LGT_STATE``; figures of what it took.

    Each of ``processes`` has a source of its own, with its part of the pictures, and runs beside the others.
    """
    from lgt_assets.instance import open_instance

    sources = [f"pictures-{number}" for number in range(processes)]
    pictures = pictures_for(questions)
    with open_instance() as instance:
        instance.event_log_storage.set_concurrency_slots("gpu", processes)
        manifests = [
            write_manifest(
                state / "given" / source, range(number * pictures // processes, (number + 1) * pictures // processes)
            )
            for number, source in enumerate(sources)
        ]
        started = time.monotonic()
        shards = [
            shard
            for source, manifest in zip(sources, manifests, strict=True)
            for shard in _registered(instance, source, manifest, shard_size)
        ]
        registered_s = time.monotonic() - started
        told = _made(sources)
        rows = counted(instance, shards)
    answered = sum(one["answered"] for one in told)
    assert rows["generations"] == answered, (rows["generations"], answered)
    return {
        "questions": rows["seed_questions"] + rows["composed_questions"], "pictures": rows["images"], "shards": len(shards),
        "processes": processes, "rows": rows, "register_s": round(registered_s, 2),
        "engine_processor_s": round(sum(one["engine_s"] for one in told), 2),
        "peak_rss_mb": max(one["peak_rss_mb"] for one in told),
    } | figures_of([one["costs"] for one in told], sum(rows.values()), len(shards))  # fmt: skip


def _registered(instance, source: str, manifest: Path, shard_size: int) -> list[str]:
    """Register a source's pictures; its shards."""
    from lgt_assets.assets.registration import register
    from lgt_assets.resources import Tables

    added = register(instance, Tables().store(), source, "manifest", {"path": str(manifest)}, shard_size=shard_size)
    return list(added.new_shards)


def _made(sources: list[str]) -> list[dict]:
    """Make each source in a process of its own, all at once; what they tell."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale", MAKE]
    working = [subprocess.Popen([*command, source], stdout=subprocess.PIPE, text=True) for source in sources]
    told = [process.communicate()[0] for process in working]
    assert not any(process.returncode for process in working), "a process failed; its error stands above"
    return [json.loads(lines.splitlines()[-1]) for lines in told]


def make(source: str) -> dict:
    """Make every asset of a source's shards in this process; what its runs cost."""
    from lgt_assets import resources, runs
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Models

    with open_instance() as instance:
        usage, engine = Usage(), ReplayEngine()
        resources._open_engines[Models().profile.models["replay"].model_dump_json()] = engine
        summary = runs.run(instance, selection=",".join(ASSETS), shards=f"{source}-*")
        usage.close()
        assert not summary.failures, summary.failures
        costs = costs_of(instance, usage, source)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return {"costs": costs, "answered": engine.answered, "engine_s": engine.seconds, "peak_rss_mb": peak}


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
