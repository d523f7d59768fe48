"""What the tables say of the method itself: rates of rejection, effects of the checks, pass rates, behaviours. Pure."""

from collections.abc import Iterable

import polars as pl

from lgt_assets.row_model import TRANSITIONS
from lgt_assets.synthesis.behaviours import CUES, count_behaviours
from lgt_assets.synthesis.intervals import wilson_interval
from lgt_assets.synthesis.pair_lengths import pair_lengths

# Rates by which a stage's candidates were judged, in the order of its checks.
MEASURES = {
    "seed_questions": ("key_agreement", "blindness"),
    "composed_questions": ("support", "necessity", "blindness", "hardness"),
    "expanded_traces": ("consistency",),
}
JUDGED = tuple(CUES)


def share(right: int, samples: int) -> dict:
    """``right``, ``samples``, their ``rate`` (None without samples) and its Wilson interval of 95 %, ``low`` to ``high``."""
    low, high = wilson_interval(right, samples)
    return {"right": right, "samples": samples, "rate": right / samples if samples else None, "low": low, "high": high}


def rejection_rates(kept: dict[str, int], rejections: pl.DataFrame) -> list[dict]:
    """One dict per stage and reason, the most frequent reason first: stage, kept, reason, rejected, rate.

    Args:
        kept: rows by stage, in data order.
        rejections: rows of ``rejections`` (asset, reason).

    Returns:
        ``rate`` is the share of all that the stage judged, kept and rejected together; a stage that rejected nothing has one
        dict with the reason None.
    """
    counts = rejections.group_by("asset", "reason").len().sort(["len", "reason"], descending=[True, False])
    rows = []
    for stage, accepted in kept.items():
        own = counts.filter(pl.col("asset") == stage)
        judged = accepted + int(own["len"].sum())
        reasons = [(reason, count) for _, reason, count in own.iter_rows()] or [(None, 0)]
        rows += [
            {
                "stage": stage,
                "kept": accepted,
                "reason": reason,
                "rejected": count,
                "rate": count / judged if judged else None,
            }
            for reason, count in reasons
        ]
    return rows


def check_effects(stage: str, accepted: pl.DataFrame, rejections: pl.DataFrame) -> list[dict]:
    """Each measure of a stage before its filters and after: stage, measure, n and mean of both.

    *Before* is every candidate that the measure was taken of, accepted or rejected for whatever reason; *after* the accepted
    ones. A candidate that an earlier check rejected may lack the later measures.

    Args:
        stage: a key of ``MEASURES``.
        accepted: rows of its table, with the measures' columns.
        rejections: rows of ``rejections`` (asset, measures).
    """
    own = (
        rejections.filter(pl.col("asset") == stage).select(pl.col("measures").explode()).drop_nulls().unnest("measures")
    )
    rows = []
    for measure in MEASURES[stage]:
        after = accepted[measure].drop_nulls().cast(pl.Float64)
        before = pl.concat([after, own.filter(pl.col("name") == measure)["value"].cast(pl.Float64)])
        rows.append({
            "stage": stage, "measure": measure, "before": before.mean(), "before_n": len(before), "after": after.mean(),
            "after_n": len(after),
        })  # fmt: skip
    return rows


def pass_rates(composed: pl.DataFrame, cots: pl.DataFrame, rejections: pl.DataFrame) -> list[dict]:
    """The VLM's pass rate on composed questions against their parents', by kind and hops; all of them first.

    Args:
        composed: rows of ``composed_questions`` (question_id, parent_question_ids, composition_kind, hops).
        cots: rows of ``distilled_cots`` (question_id, is_correct).
        rejections: rows of ``rejections`` (asset, parent_id): a sample that was rejected is not right.

    Returns:
        kind and hops (None: all), questions, and ``own`` and ``parents`` as :func:`share` gives them, pooled over the samples
        of the group's questions and of their distinct parents. Samples of one question hang together: true intervals are wider.
    """
    right = cots.group_by("question_id").agg(pl.col("is_correct").sum().alias("right"), pl.len().alias("read"))
    lost = (
        rejections.filter(pl.col("asset") == "distilled_cots")
        .group_by(pl.col("parent_id").alias("question_id"))
        .len("lost")
    )
    samples = right.join(lost, on="question_id", how="full", coalesce=True).fill_null(0)
    counts = {question: (passed, read + missed) for question, passed, read, missed in samples.iter_rows()}
    groups: dict[tuple, list[dict]] = {(None, None): []}
    for row in composed.sort("composition_kind", "hops", "question_id").to_dicts():
        groups[None, None].append(row)
        groups.setdefault((row["composition_kind"], row["hops"]), []).append(row)
    return [
        {
            "kind": kind, "hops": hops, "questions": len(rows),
            "own": _pooled({row["question_id"] for row in rows}, counts),
            "parents": _pooled({parent for row in rows for parent in row["parent_question_ids"]}, counts),
        }
        for (kind, hops), rows in groups.items()
    ]  # fmt: skip


def _pooled(question_ids: Iterable[str], counts: dict[str, tuple[int, int]]) -> dict:
    own = [counts.get(question_id, (0, 0)) for question_id in question_ids]
    return share(sum(right for right, _ in own), sum(samples for _, samples in own))


def transitions(traces: pl.DataFrame) -> list[dict]:
    """How answers change from a simple chain to its expansion: transition, traces, share (of ``transition``)."""
    counts = dict(traces.group_by("transition").len().iter_rows())
    return [
        {"transition": t, "traces": counts.get(t, 0)} | {"share": share(counts.get(t, 0), traces.height)}
        for t in TRANSITIONS
    ]


def behaviour_rates(name: str, counts: pl.DataFrame) -> list[dict]:
    """For each behaviour: traces (``name``), how many there are, the share that shows it at all, and the mean count.

    Args:
        name: which thoughts, such as ``simple``.
        counts: a column for each behaviour, a row for each thought.
    """
    return [
        {
            "thoughts": name, "behaviour": behaviour, "shown": share(int((counts[behaviour] > 0).sum()), counts.height),
            "mean_count": counts[behaviour].mean(),
        }
        for behaviour in JUDGED
    ]  # fmt: skip


def counted(thoughts: Iterable[str]) -> pl.DataFrame:
    """Counts by cues of texts that the tables keep no counts of, as :func:`behaviour_rates` takes them."""
    return pl.DataFrame([count_behaviours(thought) for thought in thoughts], schema=dict.fromkeys(JUDGED, pl.Int64))


def behaviour_agreement(traces: pl.DataFrame) -> list[dict]:
    """Cues against the verifier on the traces that it judged, for each behaviour.

    Args:
        traces: rows of ``expanded_traces`` (behaviours, judged_behaviours).

    Returns:
        behaviour, ``n`` (judgments read), ``unread``, the shares that ``cues`` and ``verifier`` find it in, raw ``agreement``,
        and Cohen's ``kappa``; None without judgments, kappa also where chance alone agrees always.
    """
    judged = traces.filter(pl.col("judged_behaviours").is_not_null())
    rows = []
    for behaviour in JUDGED:
        pairs = judged.select(
            (pl.col("behaviours").struct.field(behaviour) > 0).alias("cues"),
            pl.col("judged_behaviours").struct.field(behaviour).alias("verifier"),
        )
        read = pairs.drop_nulls()
        rows.append({
            "behaviour": behaviour, "n": read.height, "unread": pairs.height - read.height, "cues": read["cues"].mean(),
            "verifier": read["verifier"].mean(), "agreement": (read["cues"] == read["verifier"]).mean(),
            "kappa": cohens_kappa(read["cues"].to_list(), read["verifier"].to_list()),
        })  # fmt: skip
    return rows


def cohens_kappa(first: list[bool], second: list[bool]) -> float | None:
    """Cohen's kappa (1960) of two raters' yes and no on the same items; None for none, or where chance agrees always."""
    if not first:
        return None
    n, a, b = len(first), sum(first) / len(first), sum(second) / len(second)
    observed = sum(x == y for x, y in zip(first, second, strict=True)) / n
    chance = a * b + (1 - a) * (1 - b)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def pair_statistics(pairs: pl.DataFrame) -> list[dict]:
    """What :func:`.pair_lengths.pair_lengths` says of each kind, with the ``mean_ratio`` of chosen : rejected."""
    ratio = (pl.col("chosen_characters") / pl.col("rejected_characters")).mean()
    means = dict(pairs.group_by("kind").agg(ratio).iter_rows())
    return [row | {"mean_ratio": means[row["kind"]]} for row in pair_lengths(pairs.lazy())]
