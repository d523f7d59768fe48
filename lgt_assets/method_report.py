"""The method in numbers, measured on whatever is stored: one dict of plain values, and the same as markdown tables."""

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.diversity import diversity_by_size
from lgt_assets.synthesis.key_accuracy import before_and_after, key_accuracy
from lgt_assets.synthesis.method_measures import (
    MEASURES,
    behaviour_agreement,
    behaviour_rates,
    check_effects,
    counted,
    pair_statistics,
    pass_rates,
    rejection_rates,
    transitions,
)

STAGES = (
    "seed_questions", "composed_questions", "distilled_cots", "expanded_traces", "preference_pairs", "sft_mix", "rl_prompts",
)  # fmt: skip
QUESTION_TABLES = ("seed_questions", "composed_questions")
SIZES = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)
SCENE = "scene"
Judge = Callable[[Mapping], bool | None]


def build_method_report(store: DeltaStore, judge: Judge | None = None) -> dict:
    """Every section of the report by name, as lists of dicts; see :mod:`.synthesis.method_measures` for each.

    Args:
        store: the tables; those not made yet are empty.
        judge: whether a question's key is true, where that is known; without one ``key_accuracy`` is empty.
    """
    rejections = store.scan("rejections").select("asset", "reason", "parent_id", "measures", "raw").collect()
    kept = {stage: store.scan(stage).select(pl.len()).collect().item() for stage in STAGES}
    traces = store.scan("expanded_traces").select("transition", "behaviours", "judged_behaviours").collect()
    cots = store.scan("distilled_cots").select("question_id", "is_correct", "behaviours").collect()
    composed = (
        store.scan("composed_questions")
        .select("question_id", "parent_question_ids", "composition_kind", "hops")
        .collect()
    )
    added = counted(_added_thoughts(store))
    return {
        "rejections": rejection_rates(kept, rejections),
        "checks": [
            row
            for stage, measures in MEASURES.items()
            for row in check_effects(stage, store.scan(stage).select(measures).collect(), rejections)
        ],
        "key_accuracy": _key_accuracy(store, rejections, judge) if judge else [],
        "diversity": _diversity(store),
        "pass_rates": pass_rates(composed, cots, rejections),
        "transitions": transitions(traces),
        "behaviours": [
            *behaviour_rates("simple", cots["behaviours"].struct.unnest()),
            *behaviour_rates("expanded", traces["behaviours"].struct.unnest()),
            *behaviour_rates("added", added),
        ],
        "behaviour_agreement": behaviour_agreement(traces),
        "pairs": pair_statistics(
            store.scan("preference_pairs").select("kind", "chosen_characters", "rejected_characters").collect()
        ),
    }


def _added_thoughts(store: DeltaStore) -> Iterator[str]:
    for shard in store.shards("expanded_traces"):
        yield from store.scan("expanded_traces", shards=[shard]).select("added_thought").collect()["added_thought"]


def _key_accuracy(store: DeltaStore, rejections: pl.DataFrame, judge: Judge) -> list[dict]:
    return [
        {"stage": asset, "when": when} | counts
        for asset in QUESTION_TABLES
        for when, counts in before_and_after(key_accuracy(store.read(asset), rejections, judge, asset=asset)).items()
    ]


def _diversity(store: DeltaStore) -> list[dict]:
    """Seed questions about boxed objects against those about the whole scene, at equal sizes."""
    questions = store.scan("seed_questions").select("question_id", "image_id", "question", "focus").collect()
    on_scene = pl.col("focus") == SCENE
    return [
        {"questions_about": name} | row
        for name, chosen in (("boxed objects", ~on_scene), ("whole scene", on_scene))
        for row in diversity_by_size(questions.filter(chosen).drop("focus").rows(), SIZES)
    ]
