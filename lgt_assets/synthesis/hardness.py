"""Hardness of a composed question: the VLM's pass rate on its parents less its own, from the samples of distilled_cots.

The requests are those that ``distilled_cots`` makes later, planned by the same function: same keys, paid once. Only what
has passed the checks of :mod:`.verify` is asked.
"""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from lgt_assets.prompts.templates import PromptSet
from lgt_assets.schemas import frame
from lgt_assets.settings import ComposeSettings, Profile
from lgt_assets.synthesis.candidates import reject_candidate
from lgt_assets.synthesis.distill import plan_cots
from lgt_assets.synthesis.parsing import ParsedTrace, parse_trace
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.votes import Bound, first_broken

ASSET = "composed_questions"
HARDNESS, OWN, PARENTS = "hardness", "pass_rate", "parents_pass_rate"
NOT_HARDER = "not_harder"


def plan_hardness(
    verified: Outcome, images: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """The VLM's samples of every verified candidate and of its parents; nothing if ``measure_hardness`` is off.

    Args:
        verified: what :func:`.verify.apply_verification` gave.
        images, questions: rows of ``images`` and ``seed_questions`` of the shard.
    """
    rows = list(verified.rows)
    if not profile.compose.measure_hardness or not rows:
        return
    candidates = frame(ASSET, rows)
    parent_ids = candidates["parent_question_ids"].explode().unique().to_list()
    parents = questions.filter(pl.col("question_id").is_in(parent_ids))
    shared = [name for name in questions.columns if name in candidates.columns]
    asked = pl.concat([parents.select(shared), candidates.select(shared)])
    yield from plan_cots(images, asked, profile=profile, prompts=prompts)


def pass_rates(answered: Iterable[Answered]) -> dict[str, float]:
    """Share of each question's samples that are right, by question_id; a sample without a readable answer is not."""
    right: dict[str, list[bool]] = {}
    for answer in answered:
        context = answer.context
        trace = parse_trace(answer.completion.text, context["choices_shown"])
        is_right = isinstance(trace, ParsedTrace) and trace.answer_index == context["right_index"]
        right.setdefault(context["question_id"], []).append(is_right)
    return {question_id: sum(samples) / len(samples) for question_id, samples in right.items()}


def measured(row: Mapping, rates: Mapping[str, float]) -> dict[str, float | None]:
    """``pass_rate`` of a candidate, the mean ``parents_pass_rate``, and ``hardness``, -1 to 1: their difference."""
    if not {row["question_id"], *row["parent_question_ids"]} <= rates.keys():  # not asked, or the requests failed
        return {OWN: None, PARENTS: None, HARDNESS: None}
    own = rates[row["question_id"]]
    parents = sum(rates[parent_id] for parent_id in row["parent_question_ids"]) / len(row["parent_question_ids"])
    return {OWN: own, PARENTS: parents, HARDNESS: parents - own}


def apply_hardness(verified: Outcome, answered: Iterable[Answered], *, settings: ComposeSettings) -> Outcome:
    """The candidates with their hardness; those below ``minimum_hardness``, if there is one, are ``not_harder``.
    Where there is one, what was not measured since its requests failed is ``not_verified``.

    Args:
        verified: rows in data order; left as it is.
        answered: the answers to :func:`plan_hardness`.
        settings: the threshold.
    """
    rates = pass_rates(answered)
    bounds = (Bound(HARDNESS, NOT_HARDER, minimum=settings.minimum_hardness, on=settings.minimum_hardness is not None),)
    outcome = Outcome(rejections=list(verified.rejections), asked=verified.asked, parsed=verified.parsed)
    for row in verified.rows:
        measures = measured(row, rates)
        refused = first_broken(bounds, measures)
        if refused is None:
            outcome.rows.append(row | {"ordinal": len(outcome.rows), HARDNESS: measures[HARDNESS]})
            continue
        earlier = {name: row[name] for name in ("support", "blindness", "necessity")}
        reason, detail = refused
        reject_candidate(
            outcome, ASSET, row, reason, parent_id=row["parent_question_ids"][0], detail=detail,
            measures=earlier | measures,
        )  # fmt: skip
    return outcome
