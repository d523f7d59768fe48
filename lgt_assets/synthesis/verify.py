"""Checks of composed questions by votes of the verifier model, which sees text only.

*Support*: solved from the caption and the parents' answers. *Blindness*: solved from the question and its choices
alone. *Necessity*: not reliably solved when the answer of any one parent is withheld; the voter has the other parents'
answers and no caption. LGT (arXiv 2511.05705) asks for all of this in its composer's prompt and leaves it unchecked.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import ComposeSettings, Profile
from lgt_assets.synthesis.candidates import reject_candidate
from lgt_assets.synthesis.composition_kinds import answer_of
from lgt_assets.synthesis.facts import facts_by_image, in_order
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.votes import (
    Bound,
    first_broken,
    lowest_share_wrong,
    plan_votes,
    share_right,
    told,
    with_votes,
)

ASSET = "composed_questions"
SUPPORT, NECESSITY, BLINDNESS = "support", "necessity", "blindness"
NOT_SUPPORTED, NOT_NECESSARY, ANSWERABLE_BLIND = "not_supported", "not_necessary", "answerable_blind"


def plan_verification(
    candidates: Outcome, images: pl.DataFrame, objects: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile,
    prompts: PromptSet,
) -> Iterator[Planned]:  # fmt: skip
    """Requests for the votes on each candidate, candidate by candidate: ``support_votes`` with the caption and the
    parents' answers, ``blindness_votes`` with neither, and for each parent ``necessity_votes`` with the others' answers.

    Args:
        candidates: what :func:`.compose.build_compositions` gave.
        images, objects, questions: rows of ``images``, ``grounded_objects`` and ``seed_questions`` of the shard.
    """
    settings, facts = profile.compose, facts_by_image(images, objects)
    by_id = {row["question_id"]: row for row in in_order(questions)}
    for row in candidates.rows:
        parents = [by_id[parent_id] for parent_id in row["parent_question_ids"]]
        known = [{"question": parent["question"], "answer": answer_of(parent)} for parent in parents]
        checks = [
            (SUPPORT, settings.support_votes, told(facts[row["image_id"]], known=known), None),
            (BLINDNESS, settings.blindness_votes, told(), None),
        ]
        for position, withheld in enumerate(parents):
            others = told(known=known[:position] + known[position + 1 :])
            checks.append((NECESSITY, settings.necessity_votes, others, withheld["question_id"]))
        for check, votes, knowledge, withheld_id in checks:
            yield from plan_votes(
                row, check, votes, knowledge, profile=profile, prompts=prompts, withheld_id=withheld_id
            )


def measured(votes: list[dict]) -> dict[str, float | None]:
    """Support, blindness and necessity of one candidate from its votes, 0 to 1; None where none were cast."""
    return {
        SUPPORT: share_right(votes, SUPPORT),
        BLINDNESS: share_right(votes, BLINDNESS),
        NECESSITY: lowest_share_wrong(votes, NECESSITY),
    }


def apply_verification(candidates: Outcome, answered: Iterable[Answered], *, settings: ComposeSettings) -> Outcome:
    """The candidates that pass, with their votes and rates; the others among the rejections, whole.

    Rejection reasons, the first that holds: ``not_supported``, ``answerable_blind``, ``not_necessary`` (or ``not_verified``,
    where all requests of one of these checks failed); the detail names all. Blindness goes before necessity: what is
    answered blind is answered without a parent too.

    Args:
        candidates: rows in data order; left as it is.
        answered: the answers to :func:`plan_verification`, in its order.
        settings: thresholds.
    """
    bounds = (
        Bound(SUPPORT, NOT_SUPPORTED, minimum=settings.minimum_support, on=settings.support_votes > 0),
        Bound(BLINDNESS, ANSWERABLE_BLIND, maximum=settings.maximum_blindness, on=settings.blindness_votes > 0),
        Bound(NECESSITY, NOT_NECESSARY, minimum=settings.minimum_necessity, on=settings.necessity_votes > 0),
    )
    outcome = Outcome(rejections=list(candidates.rejections), asked=candidates.asked, parsed=candidates.parsed)
    for row, votes in with_votes(candidates.rows, answered):
        measures = measured(votes)
        refused = first_broken(bounds, measures)
        if refused is None:
            outcome.rows.append(row | measures | {"ordinal": len(outcome.rows), "votes": votes})
            continue
        reason, detail = refused
        reject_candidate(
            outcome, ASSET, row, reason, parent_id=row["parent_question_ids"][0], detail=detail, measures=measures
        )
    return outcome
