"""What the method did on the shards of a release: pass rates, answers that changed, behaviours, hardness."""

from collections.abc import Mapping

import polars as pl

from lgt_assets.release.tallied import counts, mean_of, millionths
from lgt_assets.row_model import TRANSITIONS
from lgt_assets.synthesis.behaviours import CUES
from lgt_assets.synthesis.intervals import wilson_interval

_STAGE = pl.when(pl.col("question_id").str.starts_with("c.")).then(2).otherwise(1).cast(pl.Int64).alias("stage")
_LOST_STAGE = pl.when(pl.col("parent_id").str.starts_with("c.")).then(2).otherwise(1).cast(pl.Int64).alias("stage")


def method_rates(tables: Mapping[str, pl.LazyFrame]) -> dict:
    """Rates over the tables that the datasets were made from, before the release leaves anything out.

    Args:
        tables: lazy frames of ``distilled_cots``, ``expanded_traces``, ``composed_questions`` and ``rejections``.

    Returns:
        ``pass_rates``: stage, right, samples, rate, low, high (a sample that was rejected is not right; Wilson, 95 %);
        ``hardness``: kind, hops, questions, measured, mean (parents' pass rate less the question's own);
        ``transitions``: transition, traces, share; ``behaviours``: thoughts, behaviour, shown, of, share.
    """
    return {
        "pass_rates": pass_rates(tables["distilled_cots"], tables["rejections"]),
        "hardness": hardness(tables["composed_questions"]),
        "transitions": transitions(tables["expanded_traces"]),
        "behaviours": [
            *behaviours("simple", tables["distilled_cots"]),
            *behaviours("expanded", tables["expanded_traces"]),
        ],
    }


def pass_rates(cots: pl.LazyFrame, rejections: pl.LazyFrame) -> list[dict]:
    """How often the VLM's samples are right, for each stage."""
    read = counts(cots, _STAGE, sums=[pl.col("is_correct").cast(pl.Int64).sum().alias("right")])
    lost = counts(rejections.filter(pl.col("asset") == "distilled_cots"), _LOST_STAGE)
    missed = {row["stage"]: row["rows"] for row in lost}
    found = []
    for row in read:
        samples = row["rows"] + missed.get(row["stage"], 0)
        low, high = wilson_interval(row["right"], samples)
        rates = {"rate": round(row["right"] / samples, 6), "low": round(low, 6), "high": round(high, 6)}
        found.append({"stage": row["stage"], "right": row["right"], "samples": samples} | rates)
    return found


def hardness(composed: pl.LazyFrame) -> list[dict]:
    """How much harder composed questions are than their parents, by kind and hops."""
    value = pl.col("hardness")
    found = counts(
        composed, "composition_kind", "hops", name="questions",
        sums=[value.count().cast(pl.Int64).alias("measured"), millionths(value).alias("total")],
    )  # fmt: skip
    return [
        {"kind": row["composition_kind"], "hops": row["hops"], "questions": row["questions"], "measured": row["measured"],
         "mean": mean_of(row["total"], row["measured"])}
        for row in found
    ]  # fmt: skip


def transitions(traces: pl.LazyFrame) -> list[dict]:
    """How answers change from a simple chain of thought to its expansion."""
    found = {row["transition"]: row["rows"] for row in counts(traces, "transition")}
    total = sum(found.values())
    return [
        {"transition": name, "traces": found.get(name, 0), "share": round(found.get(name, 0) / total, 6)}
        for name in TRANSITIONS
        if total
    ]


def behaviours(name: str, thoughts: pl.LazyFrame) -> list[dict]:
    """How many thoughts show each behaviour, by its cues."""
    shown = [(pl.col("behaviours").struct.field(one) > 0).cast(pl.Int64).sum().alias(one) for one in CUES]
    row = thoughts.select(pl.len().cast(pl.Int64).alias("of"), *shown).collect(engine="streaming").row(0, named=True)
    return [
        {
            "thoughts": name,
            "behaviour": one,
            "shown": row[one],
            "of": row["of"],
            "share": round(row[one] / row["of"], 6),
        }
        for one in CUES
        if row["of"]
    ]
