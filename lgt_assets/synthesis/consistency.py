"""Whether a trace is consistent with its answer: the verifier reads the thought alone and says which choice it comes to.

The patterns of :mod:`.conclusions` see what a thought states as its answer; the verifier also sees where it leads without
stating it, which the papers leave unchecked or to calls of another model.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

import polars as pl

from lgt_assets.engines.base import Request
from lgt_assets.identity import seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.final_answers import final_answer
from lgt_assets.synthesis.parsing import answer_index
from lgt_assets.synthesis.plain_text import plain
from lgt_assets.synthesis.planned import Answered, Outcome, Planned
from lgt_assets.synthesis.shown import assistant_turn, show

ASSET, CHECK, TEMPLATE = "expanded_traces", "consistency", "consistency"
INCONSISTENT_BY_VERIFIER = "inconsistent_by_verifier"
NO_CHOICE = "none"


def plan_consistency(
    candidates: Outcome, questions: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Iterator[Planned]:
    """``profile.expand.consistency_votes`` requests for each candidate row of ``expanded_traces``.

    The choices stand in the order that the trace was written for, since it speaks of their letters; votes differ by seed, so
    that more than one tells something only above temperature 0.

    Args:
        candidates: what :func:`.expand.build_expansions` gave.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
    """
    votes = profile.expand.consistency_votes
    if not votes:
        return
    sampling, template_hash = profile.role("verifier").sampling.sampling(), prompts.template_hash(TEMPLATE)
    asked = {row["question_id"]: row for row in questions.to_dicts()}
    for row in candidates.rows:
        question = asked[row["question_id"]]
        choices = list(show(question, profile.distill.answer_formats).choices)
        messages = prompts.messages(TEMPLATE, question=question["question"], choices=choices, thought=row["thought"])
        for vote in range(votes):
            seed = seed_of(row["trace_id"], CHECK, vote)
            request = Request(messages, sampling, seed, sample_index=vote, template_hash=template_hash)
            context = {"trace_id": row["trace_id"], "choices": choices, "answer_index": row["answer_index"]}
            yield Planned(request, context)


def apply_consistency(candidates: Outcome, answered: Iterable[Answered], *, profile: Profile) -> Outcome:
    """The candidates that passed, with their votes; ``candidates`` is left as it is.

    ``consistency`` is the share of votes that name the trace's own answer (null without votes; a vote that names no choice is
    none). Below ``minimum_consistency`` the trace is rejected as ``inconsistent_by_verifier``, with its measure.

    Args:
        answered: the votes, in plan order.
    """
    outcome = Outcome(rejections=candidates.rejections, asked=candidates.asked, parsed=candidates.parsed)
    groups = groupby(answered, key=lambda answer: answer.context["trace_id"])
    upcoming = next(groups, None)
    for row in candidates.rows:
        votes = []
        if upcoming is not None and upcoming[0] == row["trace_id"]:  # a row whose every request failed has none
            votes = [_vote(answer) for answer in upcoming[1]]
            upcoming = next(groups, None)
        share = sum(vote["correct"] for vote in votes) / len(votes) if votes else None
        if share is None or share >= profile.expand.minimum_consistency:
            outcome.rows.append(row | {"ordinal": len(outcome.rows), "consistency": share, "votes": votes})
            continue
        outcome.reject(
            row["shard"], ASSET, INCONSISTENT_BY_VERIFIER, request_key=row["request_key"], parent_id=row["cot_id"],
            raw=assistant_turn(row["thought"], row["answer"]), measures={CHECK: share},
            detail=f"answers {row['answer_index']}, read as {[vote['answer_index'] for vote in votes]}",
        )  # fmt: skip
    return outcome


def _vote(answer: Answered) -> dict:
    answered = final_answer(answer.completion.text)
    # Also where a choice reads "None": that one has a letter.
    none = answered is not None and plain(answered[0]) == NO_CHOICE
    index = None if none else answer_index(answer.completion.text, answer.context["choices"])
    return {
        "check": CHECK, "withheld_id": None, "request_key": answer.request_key, "answer_index": index,
        "correct": index == answer.context["answer_index"],
    }  # fmt: skip
