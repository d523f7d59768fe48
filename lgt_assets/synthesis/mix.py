"""Supervised examples by recipe: the answer alone, a right simple thought, a trace that ends right.

Sizes and mixes over shards and stages are the release's: a shard's rows depend on that shard alone.
"""

import random
from collections.abc import Sequence

import polars as pl

from lgt_assets.identity import random_of, row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.row_model import RECIPES
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import Shown, as_rows, show, stage_of, user_messages
from lgt_assets.synthesis.turns import Turn, chains_as_shown, reject_others

ASSET = "sft_mix"
DIRECT, SIMPLE, LONG = RECIPES
DIRECT_ROLE = "direct"


def build_mix(
    shard: str,
    questions: pl.DataFrame,
    cots: pl.DataFrame,
    traces: pl.DataFrame,
    *,
    profile: Profile,
    prompts: PromptSet,
) -> Outcome:
    """Rows of ``sft_mix``: for each question one ``direct`` example and up to ``per_question_and_recipe`` of the others.

    Args:
        shard: the shard's key.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots, traces: their rows of ``distilled_cots`` and ``expanded_traces``; only right ones are taught.
        prompts: a set may have a template ``direct`` that asks for the answer alone; without one ``vlm`` serves all recipes.

    Rejection reasons: ``shown_differently`` (a chain that saw the choices in another order, or was asked for another format).
    """
    outcome = Outcome()
    simple = by_key(in_order(cots, "sample_index", "cot_id"), "question_id")
    expanded = by_key(in_order(traces, "sample_index", "trace_id"), "cot_id")
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        question_id = question["question_id"]
        shown = show(question, profile.distill.answer_formats)
        chains, others = chains_as_shown(simple.get(question_id, []), expanded, shown)
        reject_others(outcome, shard, ASSET, others)
        turns = {
            DIRECT: [Turn(question_id, f"<answer>{shown.right_answer}</answer>", True)],
            SIMPLE: _right_turns([chain.simple for chain in chains]),
            LONG: _right_turns([turn for chain in chains for turn in chain.expanded]),
        }
        for recipe in RECIPES:
            generator = random_of(question_id, "mix", recipe)
            for turn in length_weighted(turns[recipe], profile.mix.per_question_and_recipe, generator):
                messages = [*_asked(prompts, question, shown, recipe), {"role": "assistant", "content": turn.text}]
                outcome.rows.append(_row(shard, len(outcome.rows), question, recipe, messages, turn.row_id))
    return outcome


def _right_turns(turns: list[Turn]) -> list[Turn]:
    """The right ones, one of each text: that with the first id."""
    return list({turn.text: turn for turn in sorted(turns, reverse=True) if turn.is_right}.values())


def _asked(prompts: PromptSet, question: dict, shown: Shown, recipe: str) -> list[dict]:
    has_direct = prompts.has(DIRECT_ROLE)
    role = DIRECT_ROLE if recipe == DIRECT and has_direct else "vlm"
    return as_rows(user_messages(prompts, question["question"], shown, role=role))


def length_weighted(turns: Sequence[Turn], count: int, generator: random.Random) -> list[Turn]:
    """Up to ``count`` of the turns without replacement, the longest first in rank, with weight 0.5**rank.

    After LongPerceptualThoughts, where ranks run over one question's candidates from the longest (rank 0) down. Equal
    lengths are ranked by text, so that the order given never matters.
    """
    left = sorted(turns, key=lambda turn: (-len(turn.text), turn.text, turn.row_id))
    weights = [0.5**rank for rank in range(len(left))]
    drawn = []
    while left and len(drawn) < count:
        (index,) = generator.choices(range(len(left)), weights)
        drawn.append(left.pop(index))
        weights.pop(index)
    return drawn


def _row(shard: str, ordinal: int, question: dict, recipe: str, messages: list[dict], origin_id: str) -> dict:
    return {
        "shard": shard, "ordinal": ordinal, "example_id": row_id(ASSET, shard, recipe, origin_id),
        "question_id": question["question_id"], "image_id": question["image_id"], "stage": stage_of(question),
        "recipe": recipe, "messages": messages, "images": [question["image_id"]], "origin_id": origin_id,
    }  # fmt: skip
