"""Rates of a shard that should stay in bounds: duplicates, blind answers, acceptance, lengths."""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from lgt_assets.quality.findings import Finding, Number, Slice, too_few
from lgt_assets.synthesis.intervals import Z_95, wilson_interval

DEFAULT_SIMILARITY = 0.8
# Texts whose mean length is watched.
TEXTS = {
    "seed_questions": ("question",), "composed_questions": ("question",), "distilled_cots": ("thought",),
    "expanded_traces": ("added_thought",), "preference_pairs": ("chosen", "rejected"),
}  # fmt: skip


def duplicates(rows: Slice) -> Finding:
    """Near-duplicates of an earlier question of the same picture, by the rule that seed questions are filtered with."""
    from lgt_assets.synthesis.near_duplicates import AskedQuestion, asked_question, duplicate_reason

    settings = rows.settings
    similarity = rows.wanted.questions.near_duplicate_similarity or DEFAULT_SIMILARITY
    columns = ("question_id", "image_id", "ordinal", "question", "choices", "answer_index")
    answer = pl.col("choices").list.get(pl.col("answer_index"), null_on_oob=True)
    answered = (pl.col("answer_index") >= 0) & answer.is_not_null() & pl.col("question").is_not_null()
    questions = rows.scan(*columns).filter(answered).sort("image_id", "ordinal")
    total = found = 0
    example = ""
    for _image, group in groupby(questions.collect().iter_rows(named=True), key=lambda row: row["image_id"]):
        earlier: list[AskedQuestion] = []
        for row in group:
            asked = asked_question(row["question"], row["choices"][row["answer_index"]])
            total += 1
            if duplicate_reason(asked, earlier, similarity):
                found, example = found + 1, example or row["question_id"]
            earlier.append(asked)
    numbers = {
        "questions": total,
        "near_duplicates": found,
        "similarity": similarity,
        "threshold": settings.duplicate_rate,
    }
    if total < settings.minimum_rows:
        return too_few(total, settings.minimum_rows, "questions", numbers)
    numbers["rate"] = round(found / total, 4)
    passed = wilson_interval(found, total)[0] <= settings.duplicate_rate
    shown = "" if passed else f", such as {example}; see questions.near_duplicate_similarity"
    return Finding(passed, f"{found} of {total} questions ask again what was asked of their picture{shown}", numbers)


def blindness(rows: Slice) -> Finding:
    """How often the verifier is right without picture and caption: such questions train no looking."""
    settings = rows.settings
    judged = rows.scan("blindness").drop_nulls().select(
        pl.len().alias("questions"), pl.col("blindness").mean().alias("mean"), pl.col("blindness").std().alias("deviation")
    )  # fmt: skip
    count, mean, deviation = judged.collect(engine="streaming").row(0)
    numbers: dict[str, Number] = {"questions": count, "mean": mean, "threshold": settings.blindness}
    if count < settings.minimum_rows:
        return too_few(count, settings.minimum_rows, "questions with blind votes", numbers)
    passed = mean - Z_95 * deviation / count**0.5 <= settings.blindness
    advice = "" if passed else ": many can be answered without looking; lower maximum_blindness or change the prompt"
    return Finding(passed, f"blind votes are right in {mean:.1%} of cases{advice}", numbers)


def acceptance(rows: Slice) -> Finding:
    """The share of candidates that the asset accepted when it made the shard, from the funnel."""
    settings = rows.settings
    least = settings.acceptance_by_asset.get(rows.table, settings.acceptance)
    funnel = rows.scan("asset", "accepted", "rejected", table="funnel").filter(pl.col("asset") == rows.table).collect()
    accepted, rejected = int(funnel["accepted"].sum()), int(funnel["rejected"].sum())
    judged = accepted + rejected
    numbers: dict[str, Number] = {"accepted": accepted, "rejected": rejected, "threshold": least}
    if judged < settings.minimum_rows:
        return too_few(judged, settings.minimum_rows, "candidates", numbers)
    numbers["rate"] = round(accepted / judged, 4)
    passed = wilson_interval(accepted, judged)[1] >= least
    advice = "" if passed else ": see `lgt report` for the reasons, and the texts in tables/rejections"
    return Finding(passed, f"{accepted} of {judged} candidates accepted{advice}", numbers)


def length_drift(rows: Slice) -> Finding:
    """Mean characters of the table's texts against those of the time before: an edit that nobody meant shows here."""
    settings, columns = rows.settings, TEXTS[rows.table]
    means = rows.scan(*columns).select(
        pl.len().alias("rows"), *[pl.col(name).str.len_chars().mean().alias(name) for name in columns]
    )  # fmt: skip
    found = means.collect(engine="streaming").row(0, named=True)
    count = found.pop("rows")
    numbers: dict[str, Number] = {"rows": count} | {f"mean {name}": mean for name, mean in found.items()}
    if count < settings.minimum_rows:
        return too_few(count, settings.minimum_rows, "rows", numbers)
    compared = list(_changes(found, rows))
    if not compared:
        return Finding(True, "nothing to compare with yet", numbers | {"threshold": settings.length_drift})
    numbers |= {f"change of {name}": round(change, 4) for name, change in compared} | {
        "threshold": settings.length_drift
    }
    drifted = any(abs(change) > settings.length_drift for _name, change in compared)
    said = "mean length: " + ", ".join(f"{name} {change:+.1%}" for name, change in compared)
    advice = "; compare the shard's rows of both Delta versions" if drifted else ""
    return Finding(not drifted, f"{said} against the time before{advice}", numbers)


def _changes(means: dict[str, float], rows: Slice) -> Iterator[tuple[str, float]]:
    """Relative changes against the numbers of the time before, where that had enough rows."""
    counted = rows.previous.get("rows")
    if not isinstance(counted, int | float) or counted < rows.settings.minimum_rows:
        return
    for name, mean in means.items():
        before = rows.previous.get(f"mean {name}")
        if isinstance(before, int | float) and before > 0:
            yield name, mean / before - 1
