"""Checks of composed questions by votes of the verifier model, which sees text only.

*Support*: solved from caption, boxes and the parents' answers. *Blindness*: solved from the question and its choices alone.
"""

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.composition_kinds import answer_of
from lgt_assets.synthesis.facts import Facts, by_key, facts_by_image, in_order
from lgt_assets.synthesis.parsing import answer_index
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

ASSET = "composed_questions"
SUPPORT, BLINDNESS = "support", "blindness"
NOT_SUPPORTED = "not_supported"
ANSWERABLE_BLIND = "answerable_blind"


def plan_verification(
    candidates: Outcome, images: pl.DataFrame, objects: pl.DataFrame, questions: pl.DataFrame, *, profile: Profile,
    prompts: PromptSet,
) -> list[Planned]:  # fmt: skip
    """Requests for the votes on each candidate: ``support_votes`` with all facts, ``blindness_votes`` with none.

    Args:
        candidates: what :func:`.compose.build_compositions` gave.
        images, objects, questions: rows of ``images``, ``grounded_objects`` and ``seed_questions`` of the shard.
    """
    sampling, template_hash = profile.role("verifier").sampling.sampling(), prompts.template_hash("verifier")
    facts, parents = facts_by_image(images, objects), {row["question_id"]: row for row in in_order(questions)}
    planned = []
    for row in candidates.rows:
        for check, votes in ((SUPPORT, profile.compose.support_votes), (BLINDNESS, profile.compose.blindness_votes)):
            known = _known(row, parents, facts[row["image_id"]]) if check == SUPPORT else _nothing_known()
            messages = prompts.messages("verifier", question=row["question"], choices=list(row["choices"]), **known)
            for vote in range(votes):
                seed = seed_of(row["question_id"], "verifier", check, vote)
                context = {
                    "position": len(planned), "question_id": row["question_id"], "check": check,
                    "choices": list(row["choices"]), "answer_index": row["answer_index"],
                }  # fmt: skip
                request = Request(messages, sampling, seed, sample_index=vote, template_hash=template_hash)
                planned.append(Planned(request, context))
    return planned


def _known(row: dict, parents: dict[str, dict], facts: Facts) -> dict:
    known = [parents[parent_id] for parent_id in row["parent_question_ids"]]
    return {
        "caption": facts.image["caption"], "objects": facts.described(),
        "known": [{"question": parent["question"], "answer": answer_of(parent)} for parent in known],
    }  # fmt: skip


def _nothing_known() -> dict:
    return {"caption": None, "objects": None, "known": []}


def apply_verification(candidates: Outcome, answered: list[Answered], *, profile: Profile) -> Outcome:
    """The candidates that passed, with their votes and rates; the others among the rejections.

    ``support`` and ``blindness`` are shares of right votes (null without votes); a vote that names no choice is not right.
    Rejection reasons: ``not_supported``, ``answerable_blind``. ``candidates`` is left as it is.
    """
    votes = by_key(
        [_vote(answer) for answer in sorted(answered, key=lambda answer: answer.context["position"])], "question_id"
    )
    outcome = Outcome(rejections=list(candidates.rejections), asked=candidates.asked, parsed=candidates.parsed)
    for row in candidates.rows:
        own = votes.get(row["question_id"], [])
        support, blindness = _share(own, SUPPORT), _share(own, BLINDNESS)
        refused = _refusal(support, blindness, profile)
        if refused is None:
            kept = [{name: value for name, value in vote.items() if name != "question_id"} for vote in own]
            outcome.rows.append(
                row | {"ordinal": len(outcome.rows), "support": support, "blindness": blindness, "votes": kept}
            )
            continue
        outcome.reject(
            row["shard"], ASSET, refused, request_key=row["request_key"], parent_id=row["parent_question_ids"][0],
            raw=row["question"], detail=f"{row['question_id']}: support {support}, blindness {blindness}",
        )  # fmt: skip
    return outcome


def _vote(answer: Answered) -> dict:
    context = answer.context
    index = answer_index(answer.completion.text, context["choices"])
    return {
        "question_id": context["question_id"], "check": context["check"], "withheld_id": None,
        "request_key": answer.request_key,
        "answer_index": index, "correct": index == context["answer_index"],
    }  # fmt: skip


def _share(votes: list[dict], check: str) -> float | None:
    own = [vote["correct"] for vote in votes if vote["check"] == check]
    return sum(own) / len(own) if own else None


def _refusal(support: float | None, blindness: float | None, profile: Profile) -> str | None:
    if support is not None and support < profile.compose.minimum_support:
        return NOT_SUPPORTED
    if blindness is not None and blindness > profile.compose.maximum_blindness:
        return ANSWERABLE_BLIND
    return None
