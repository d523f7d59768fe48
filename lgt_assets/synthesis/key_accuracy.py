"""How many keys are true, before the filters and after, where the truth is known (rendered scenes).

The judge is given, since this package knows nothing of scenes: it says of a candidate (image_id, question, choices,
answer_index) whether its key is true, or None where it cannot tell; see :func:`lgt_assets.sources.scene_keys.scene_judge`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import polars as pl

from lgt_assets.synthesis.candidates import read_candidate

Judge = Callable[[Mapping], bool | None]
ACCEPTED = "accepted"
COLUMNS = {
    "asset": pl.String, "outcome": pl.String, "candidates": pl.Int64, "judged": pl.Int64, "right": pl.Int64,
}  # fmt: skip


def key_accuracy(questions: pl.DataFrame, rejections: pl.DataFrame, judge: Judge, *, asset: str) -> pl.DataFrame:
    """Keys of one asset's candidates held against the truth, by what became of them.

    Args:
        questions: rows of ``seed_questions`` or ``composed_questions``: what was accepted.
        rejections: rows of ``rejections``; those of other assets, and texts that were no question, are left out.
        judge: of one candidate, a row as a dict.
        asset: ``seed_questions`` or ``composed_questions``.

    Returns:
        A row for ``accepted`` and for each reason of rejection, ``accepted`` first: asset, outcome, and how many
        ``candidates`` there were, how many of them the judge could tell (``judged``), and how many of those are ``right``.
    """
    counts: dict[str, Counter[str]] = {ACCEPTED: Counter()}
    for outcome, candidate in _candidates(questions, rejections, asset):
        verdict = judge(candidate)
        counts.setdefault(outcome, Counter()).update(
            candidates=1, judged=int(verdict is not None), right=int(verdict is True)
        )
    rows = [
        {"asset": asset, "outcome": outcome} | {name: count[name] for name in ("candidates", "judged", "right")}
        for outcome, count in sorted(counts.items(), key=lambda item: (item[0] != ACCEPTED, item[0]))
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def before_and_after(accuracy: pl.DataFrame) -> dict[str, dict[str, int | float | None]]:
    """The rows of :func:`key_accuracy` summed up: ``before`` is every candidate, ``after`` the accepted ones.

    Returns:
        For each of the two: ``judged``, ``right`` and ``accuracy``, their ratio (None where nothing was judged).
    """
    groups = {"before": accuracy, "after": accuracy.filter(pl.col("outcome") == ACCEPTED)}
    summed = {}
    for name, rows in groups.items():
        judged, right = int(rows["judged"].sum()), int(rows["right"].sum())
        summed[name] = {"judged": judged, "right": right, "accuracy": right / judged if judged else None}
    return summed


def _candidates(questions: pl.DataFrame, rejections: pl.DataFrame, asset: str) -> Iterator[tuple[str, dict]]:
    for row in questions.iter_rows(named=True):
        yield ACCEPTED, row
    for row in rejections.filter(pl.col("asset") == asset).iter_rows(named=True):
        candidate = read_candidate(row["raw"])
        if candidate is not None:
            yield row["reason"], candidate
