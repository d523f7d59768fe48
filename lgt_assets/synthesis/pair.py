"""Preference pairs: two turns that answer one question as shown, of five kinds (LongPerceptualThoughts, arXiv 2504.15362).

O is a right and X a wrong simple chain; OO, XO, OX, XX are expanded ones, simple then expanded:

* ``compactness``: O > OO, where the expanded turn is at least ``compactness_ratio`` times longer;
* ``expansion_breaks``: O > OX;
* ``correction``: XO > X;
* ``correction_over_error``: XO > XX;
* ``right_over_wrong``: O > X.

An expanded chain is paired with the simple chain it continues; XO > XX with another continuation of the same chain.

Length must not tell chosen from rejected. Compactness is about length by definition. In the other kinds, of the pairs that a
question offers, those whose lengths are nearest come first; a continuation is longer than its simple chain, so
``expansion_breaks`` prefers the shorter turn and ``correction`` the longer one, and :mod:`.pair_lengths` reports it by kind.
"""

import math
from collections.abc import Iterator

import polars as pl

from lgt_assets.identity import random_of, row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.row_model import PAIR_KINDS
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import as_rows, show, stage_of, user_messages
from lgt_assets.synthesis.turns import Chain, Turn, chains_as_shown, reject_others

ASSET = "preference_pairs"
COMPACTNESS, EXPANSION_BREAKS, CORRECTION, CORRECTION_OVER_ERROR, RIGHT_OVER_WRONG = PAIR_KINDS
Pair = tuple[Turn, Turn]  # chosen, rejected


def build_pairs(
    shard: str,
    questions: pl.DataFrame,
    cots: pl.DataFrame,
    traces: pl.DataFrame,
    *,
    profile: Profile,
    prompts: PromptSet,
) -> Outcome:
    """Rows of ``preference_pairs``, at most ``per_question_and_kind`` of a kind for each question.

    Args:
        shard: the shard's key.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots, traces: their rows of ``distilled_cots`` and ``expanded_traces``.

    Rejection reasons: ``shown_differently`` (a chain that saw the choices in another order, or was asked for another format).
    """
    outcome = Outcome()
    simple = by_key(in_order(cots, "sample_index", "cot_id"), "question_id")
    expanded = by_key(in_order(traces, "sample_index", "trace_id"), "cot_id")
    settings = profile.pairs
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        shown = show(question, profile.distill.answer_formats)
        chains, others = chains_as_shown(simple.get(question["question_id"], []), expanded, shown)
        reject_others(outcome, shard, ASSET, others)
        pairs = list(pairs_of(chains, settings.compactness_ratio))
        prompt = as_rows(user_messages(prompts, question["question"], shown)) if pairs else []
        for kind in PAIR_KINDS:
            own = [pair for name, *pair in pairs if name == kind]
            for chosen, rejected in draw_pairs(own, question["question_id"], kind, settings.per_question_and_kind):
                outcome.rows.append(_row(shard, len(outcome.rows), question, kind, prompt, chosen, rejected))
    return outcome


def pairs_of(chains: list[Chain], ratio: float) -> Iterator[tuple[str, Turn, Turn]]:
    """(kind, chosen, rejected) of all pairs of one question; ``ratio`` is the least of lengths in ``compactness``."""
    for chain in chains:
        own, right, wrong = chain.simple, chain.continued(True), chain.continued(False)
        if own.is_right:
            yield from ((COMPACTNESS, own, turn) for turn in right if len(turn.text) >= ratio * len(own.text))
            yield from ((EXPANSION_BREAKS, own, turn) for turn in wrong)
        else:
            yield from ((CORRECTION, turn, own) for turn in right)
            yield from ((CORRECTION_OVER_ERROR, turn, other) for turn in right for other in wrong)
    simple = [chain.simple for chain in chains]
    for chosen in simple:
        yield from ((RIGHT_OVER_WRONG, chosen, turn) for turn in simple if chosen.is_right and not turn.is_right)


def draw_pairs(pairs: list[Pair], question_id: str, kind: str, count: int) -> list[Pair]:
    """Up to ``count`` pairs whose texts differ in more than whitespace: unused turns first, then the nearest in length.

    Ties, and the order within ``compactness``, fall by the question's seed.
    """
    by_texts = {(_spaceless(chosen), _spaceless(rejected)): (chosen, rejected) for chosen, rejected in sorted(pairs)}
    left = [pair for texts, pair in by_texts.items() if texts[0] != texts[1]]
    random_of(question_id, "pairs", kind).shuffle(left)
    drawn: list[Pair] = []
    used: set[str] = set()

    def rank(pair: Pair) -> tuple[int, float]:
        distance = 0.0 if kind == COMPACTNESS else abs(math.log(len(pair[0].text) / len(pair[1].text)))
        return sum(turn.row_id in used for turn in pair), distance

    while left and len(drawn) < count:
        best = min(left, key=rank)
        left.remove(best)
        drawn.append(best)
        used |= {turn.row_id for turn in best}
    return drawn


def _spaceless(turn: Turn) -> str:
    return "".join(turn.text.split())


def _row(shard: str, ordinal: int, question: dict, kind: str, prompt: list[dict], chosen: Turn, rejected: Turn) -> dict:
    return {
        "shard": shard, "ordinal": ordinal, "pair_id": row_id(ASSET, shard, kind, chosen.row_id, rejected.row_id),
        "question_id": question["question_id"], "image_id": question["image_id"], "stage": stage_of(question), "kind": kind,
        "prompt": prompt, "images": [question["image_id"]], "chosen": chosen.text, "rejected": rejected.text,
        "chosen_id": chosen.row_id, "rejected_id": rejected.row_id, "chosen_characters": len(chosen.text),
        "rejected_characters": len(rejected.text),
    }  # fmt: skip
