"""Preference pairs: two turns that answer one question as shown, of five kinds (LongPerceptualThoughts).

O is a right and X a wrong simple chain; OO, XO, OX, XX are expanded ones, simple then expanded:

* ``compactness``: O > OO, where the expanded turn is at least ``compactness_ratio`` times longer;
* ``expansion_breaks``: O > OX;
* ``correction``: XO > X;
* ``correction_over_error``: XO > XX;
* ``right_over_wrong``: O > X.

An expanded chain is paired with the simple chain it continues; XO > XX with another continuation of the same chain.
"""

from collections.abc import Iterator

import polars as pl

from lgt_assets.identity import random_of, row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.row_model import PAIR_KINDS
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import as_rows, assistant_turn, show, stage_of, user_messages

ASSET = "preference_pairs"
Turn = tuple[str, str]  # id of its row, text


def build_pairs(
    shard: str,
    questions: pl.DataFrame,
    cots: pl.DataFrame,
    traces: pl.DataFrame,
    *,
    profile: Profile,
    prompts: PromptSet,
) -> Outcome:
    """Rows of ``preference_pairs``, at most ``per_question_and_kind`` of a kind for each question, drawn by its own seed.

    Args:
        shard: the shard's key.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots, traces: their rows of ``distilled_cots`` and ``expanded_traces``.
    """
    outcome = Outcome()
    simple = by_key(in_order(cots, "sample_index", "cot_id"), "question_id")
    expanded = by_key(in_order(traces, "sample_index", "trace_id"), "cot_id")
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        chains = simple.get(question["question_id"], [])
        pairs = list(_pairs(chains, expanded, profile.pairs.compactness_ratio))
        shown = show(question, profile.distill.answer_formats)
        prompt = as_rows(user_messages(prompts, question["question"], shown)) if pairs else []
        for kind in PAIR_KINDS:
            own = [(chosen, rejected) for name, chosen, rejected in pairs if name == kind]
            for chosen, rejected in _drawn(own, question["question_id"], kind, profile.pairs.per_question_and_kind):
                outcome.rows.append(_row(shard, len(outcome.rows), question, kind, prompt, chosen, rejected))
    return outcome


def _turn(row: dict, key: str) -> Turn:
    return row[key], assistant_turn(row["thought"], row["answer"])


def _pairs(chains: list[dict], expanded: dict[str, list[dict]], ratio: float) -> Iterator[tuple[str, Turn, Turn]]:
    """(kind, chosen, rejected) of all pairs of one question."""
    right = [_turn(row, "cot_id") for row in chains if row["is_correct"]]
    wrong = [_turn(row, "cot_id") for row in chains if not row["is_correct"]]
    for row in chains:
        own = _turn(row, "cot_id")
        longer = {
            transition: [_turn(r, "trace_id") for r in expanded.get(row["cot_id"], []) if r["transition"] == transition]
            for transition in ("OO", "OX", "XO", "XX")
        }
        for turn in longer["OO"]:
            if len(turn[1]) >= ratio * len(own[1]):
                yield "compactness", own, turn
        yield from (("expansion_breaks", own, turn) for turn in longer["OX"])
        yield from (("correction", turn, own) for turn in longer["XO"])
        yield from (("correction_over_error", turn, other) for turn in longer["XO"] for other in longer["XX"])
    yield from (("right_over_wrong", chosen, rejected) for chosen in right for rejected in wrong)


def _drawn(pairs: list[tuple[Turn, Turn]], question_id: str, kind: str, count: int) -> list[tuple[Turn, Turn]]:
    """Up to ``count`` pairs with different texts, turns used before last."""
    pairs = list({(chosen[1], rejected[1]): (chosen, rejected) for chosen, rejected in sorted(pairs)}.values())
    pairs = [pair for pair in pairs if pair[0][1] != pair[1][1]]
    random_of(question_id, "pairs", kind).shuffle(pairs)
    drawn: list[tuple[Turn, Turn]] = []
    used: set[str] = set()
    while pairs and len(drawn) < count:
        fresh = min(pairs, key=lambda pair: (pair[0][0] in used) + (pair[1][0] in used))
        pairs.remove(fresh)
        drawn.append(fresh)
        used |= {fresh[0][0], fresh[1][0]}
    return drawn


def _row(shard: str, ordinal: int, question: dict, kind: str, prompt: list[dict], chosen: Turn, rejected: Turn) -> dict:
    return {
        "shard": shard, "ordinal": ordinal, "pair_id": row_id(ASSET, shard, kind, chosen[0], rejected[0]),
        "question_id": question["question_id"], "image_id": question["image_id"], "stage": stage_of(question), "kind": kind,
        "prompt": prompt, "images": [question["image_id"]], "chosen": chosen[1], "rejected": rejected[1],
        "chosen_id": chosen[0], "rejected_id": rejected[0],
    }  # fmt: skip
