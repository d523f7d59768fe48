"""Checks of seed questions: does the verifier agree with the key, and does the question need the picture at all?

*Key agreement*: the share of votes, from caption and boxes, that name the key; writers are wrong often. *Blindness*: the
share of votes right from the question and its choices alone.
"""

import itertools
from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile, QuestionSettings
from lgt_assets.synthesis.candidates import reject_candidate
from lgt_assets.synthesis.facts import facts_by_image
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.quotas import OVER_QUOTA, over_quota
from lgt_assets.synthesis.votes import Bound, first_broken, plan_votes, share_right, told, with_votes

ASSET = "seed_questions"
KEY_AGREEMENT, BLINDNESS = "key_agreement", "blindness"
KEY_DISPUTED, ANSWERABLE_BLIND = "key_disputed", "answerable_blind"


def plan_question_checks(
    candidates: Outcome, images: pl.DataFrame, objects: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """Requests for the votes on each candidate, candidate by candidate.

    Args:
        candidates: what :func:`.questions.build_questions` gave.
        images, objects: rows of ``images`` and ``grounded_objects`` of the shard.
    """
    facts = facts_by_image(images, objects)
    for row in candidates.rows:
        checks = (
            (KEY_AGREEMENT, profile.questions.key_votes, told(facts[row["image_id"]], boxes=True)),
            (BLINDNESS, profile.questions.blindness_votes, told()),
        )
        for check, votes, knowledge in checks:
            yield from plan_votes(row, check, votes, knowledge, profile=profile, prompts=prompts)


def apply_question_checks(candidates: Outcome, answered: Iterable[Answered], *, settings: QuestionSettings) -> Outcome:
    """The candidates that pass, with their votes and rates; the others among the rejections, whole.

    Rejection reasons, the first that holds: ``key_disputed``, ``answerable_blind`` (or ``not_verified``, where all requests
    of one of these checks failed); then, among a picture's rows that pass,
    ``over_quota``: the share of a type is bounded among accepted rows, so quotas come last.

    Args:
        candidates: rows in data order, those of a picture together; left as it is.
        answered: the answers to :func:`plan_question_checks`, in its order.
        settings: thresholds and quota.
    """
    bounds = (
        Bound(KEY_AGREEMENT, KEY_DISPUTED, minimum=settings.minimum_key_agreement, on=settings.key_votes > 0),
        Bound(BLINDNESS, ANSWERABLE_BLIND, maximum=settings.maximum_blindness, on=settings.blindness_votes > 0),
    )
    outcome = Outcome(rejections=list(candidates.rejections), asked=candidates.asked, parsed=candidates.parsed)
    for _, of_picture in itertools.groupby(with_votes(candidates.rows, answered), key=lambda pair: pair[0]["image_id"]):
        passed = []
        for row, votes in of_picture:
            measures = {check: share_right(votes, check) for check in (KEY_AGREEMENT, BLINDNESS)}
            refused = first_broken(bounds, measures)
            if refused is None:
                passed.append(row | measures | {"votes": votes})
            else:
                _reject(outcome, row | measures, *refused)
        surplus = over_quota([row["question_type"] for row in passed], settings.maximum_type_share)
        for position, row in enumerate(passed):
            if position in surplus:
                _reject(outcome, row, OVER_QUOTA, f"{row['question_type']}: at most {settings.maximum_type_share:g}")
            else:
                outcome.rows.append(row | {"ordinal": len(outcome.rows)})
    return outcome


def _reject(outcome: Outcome, row: dict, reason: str, detail: str) -> None:
    measures = {check: row[check] for check in (KEY_AGREEMENT, BLINDNESS)}
    reject_candidate(outcome, ASSET, row, reason, parent_id=row["image_id"], detail=detail, measures=measures)
