"""Votes of the verifier model, which sees text only, and the rates and thresholds that decide on a question.

Each vote shows the choices in an order of its own. So a greedy verifier answers several prompts instead of one, and a
liking for a letter cannot pass for knowledge: votes take turns in rotating one seeded order, and in every round of as
many votes as there are choices the right one stands once under each letter.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lgt_assets.engines.base import Request
from lgt_assets.identity import random_of, seed_of
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import Facts
from lgt_assets.synthesis.parsing import answer_index
from lgt_assets.synthesis.planned import Answered, Planned

ROLE = "verifier"
NOT_VERIFIED = "not_verified"


@dataclass(frozen=True)
class Bound:
    """A threshold on one measure: rejected as ``reason`` below ``minimum`` or above ``maximum``.

    Where the check is ``on`` but has no measure, since its requests failed, it is ``not_verified``; a check that is off passes.
    """

    measure: str
    reason: str
    minimum: float | None = None
    maximum: float | None = None
    on: bool = True

    def broken_by(self, measures: Mapping[str, float | None]) -> tuple[str, str] | None:
        """The reason, and what is wrong, for people; None when nothing is."""
        value = measures.get(self.measure)
        if value is None:
            return (NOT_VERIFIED, f"{self.measure} was not answered") if self.on else None
        if self.minimum is not None and value < self.minimum:
            return self.reason, f"{self.measure} {value:.3g} is below {self.minimum:g}"
        if self.maximum is not None and value > self.maximum:
            return self.reason, f"{self.measure} {value:.3g} is above {self.maximum:g}"
        return None


def first_broken(bounds: Sequence[Bound], measures: Mapping[str, float | None]) -> tuple[str, str] | None:
    """Reason of the first bound that ``measures`` break, with what is wrong with all of them; None if none is broken."""
    broken = [problem for bound in bounds if (problem := bound.broken_by(measures)) is not None]
    return (broken[0][0], "; ".join(detail for _, detail in broken)) if broken else None


def told(facts: Facts | None = None, *, boxes: bool = False, known: Sequence[dict] = ()) -> dict:
    """What a voter is told: the caption and, with ``boxes``, the objects of ``facts``; the answers ``known`` (question,
    answer). Without arguments nothing but the question.
    """
    return {
        "caption": facts.image["caption"] if facts else None, "objects": facts.described() if facts and boxes else None,
        "known": list(known),
    }  # fmt: skip


def order_shown(question_id: str, check: str, withheld_id: str | None, vote: int, choices: int) -> list[int]:
    """Own indices of ``choices`` choices in the order in which a vote shows them."""
    turn, rotation = divmod(vote, choices)
    order = list(range(choices))
    random_of(question_id, ROLE, check, withheld_id, turn).shuffle(order)
    return order[rotation:] + order[:rotation]


def plan_votes(
    row: Mapping, check: str, votes: int, knowledge: Mapping, *, profile: Profile, prompts: PromptSet,
    withheld_id: str | None = None,
) -> Iterator[Planned]:  # fmt: skip
    """``votes`` requests for one check of one question.

    Args:
        row: the question: question_id, question, choices, answer_index.
        check: name of the check, kept with the vote.
        votes: how many; more votes leave the requests of the first ones as they are.
        knowledge: caption, objects and known answers, as :func:`told` gives them.
        withheld_id: the parent whose answer is not among them.
    """
    sampling, template_hash = profile.role(ROLE).sampling.sampling(), prompts.template_hash(ROLE)
    for vote in range(votes):
        order = order_shown(row["question_id"], check, withheld_id, vote, len(row["choices"]))
        shown = [row["choices"][index] for index in order]
        messages = prompts.messages(ROLE, question=row["question"], choices=shown, **knowledge)
        seed = seed_of(row["question_id"], ROLE, check, withheld_id, vote)
        context = {
            "question_id": row["question_id"], "check": check, "withheld_id": withheld_id, "order": order,
            "choices_shown": shown, "answer_index": row["answer_index"],
        }  # fmt: skip
        yield Planned(Request(messages, sampling, seed, sample_index=vote, template_hash=template_hash), context)


def vote_of(answered: Answered) -> dict:
    """A vote as the tables keep it: ``answer_index`` in the question's own order, null (and not right) if it names none."""
    context = answered.context
    shown = answer_index(answered.completion.text, context["choices_shown"])
    own = None if shown is None else context["order"][shown]
    return {
        "check": context["check"], "withheld_id": context["withheld_id"], "request_key": answered.request_key,
        "answer_index": own, "correct": own == context["answer_index"],
    }  # fmt: skip


def with_votes(rows: Iterable[dict], answered: Iterable[Answered]) -> Iterator[tuple[dict, list[dict]]]:
    """Each row with its votes; ``answered`` is read once, in the order of the plan, which is that of the rows."""
    groups = itertools.groupby(answered, key=lambda answer: answer.context["question_id"])
    upcoming = next(groups, None)
    for row in rows:
        own: list[dict] = []
        if upcoming is not None and upcoming[0] == row["question_id"]:
            own = [vote_of(answer) for answer in upcoming[1]]
            upcoming = next(groups, None)
        yield row, own


def share_right(votes: Iterable[Mapping], check: str) -> float | None:
    """Share of a check's votes that are right; None without votes."""
    own = [vote["correct"] for vote in votes if vote["check"] == check]
    return sum(own) / len(own) if own else None


def lowest_share_wrong(votes: Sequence[Mapping], check: str) -> float | None:
    """1 - share of a check's votes that are right, the lowest over the parents withheld; None without votes."""
    by_parent: dict[str | None, list[bool]] = {}
    for vote in votes:
        if vote["check"] == check:
            by_parent.setdefault(vote["withheld_id"], []).append(vote["correct"])
    # counted from the wrong ones: 1 - 4/5 is a little less than 0.2, and a threshold of 0.2 would catch it
    return min((own.count(False) / len(own) for own in by_parent.values()), default=None)
