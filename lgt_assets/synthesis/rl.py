"""Prompts for reinforcement learning with verifiable answers, each with the VLM's pass rate as its difficulty."""

import math

import polars as pl

from lgt_assets.identity import row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import as_rows, show, stage_of, user_messages

ASSET = "rl_prompts"
NO_SAMPLES = "no_samples"
HARD_BELOW, MEDIUM_BELOW = 1 / 3, 2 / 3


def build_prompts(
    shard: str, questions: pl.DataFrame, cots: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Outcome:
    """Rows of ``rl_prompts``: one for each question that has a parsed sample.

    Args:
        shard: the shard's key.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots: their rows of ``distilled_cots``; the pass rate is the share of right ones among all of them.

    Rejection reasons: ``no_samples`` (not one sample of the VLM could be parsed, so that nothing is known of its difficulty).
    """
    outcome = Outcome()
    samples = by_key(in_order(cots), "question_id")
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        own = samples.get(question["question_id"], [])
        if not own:
            outcome.reject(
                shard, ASSET, NO_SAMPLES, request_key=None, parent_id=question["question_id"], raw=question["question"]
            )
            continue
        shown = show(question, profile.distill.answer_formats)
        pass_rate = sum(row["is_correct"] for row in own) / len(own)
        outcome.rows.append({
            "shard": shard, "ordinal": len(outcome.rows), "prompt_id": row_id(ASSET, shard, question["question_id"]),
            "question_id": question["question_id"], "image_id": question["image_id"], "stage": stage_of(question),
            "messages": as_rows(user_messages(prompts, question["question"], shown)), "images": [question["image_id"]],
            "choices_shown": list(shown.choices), "ground_truth": shown.right_letter,
            "answer_text": shown.choices[shown.right_index], "pass_rate": pass_rate, "samples": len(own),
            "difficulty": difficulty_of(pass_rate),
        })  # fmt: skip
    return outcome


def difficulty_of(pass_rate: float) -> str:
    """The band of a pass rate in [0, 1].

    ``unsolved`` 0, ``hard`` (0, 1/3), ``medium`` [1/3, 2/3), ``easy`` [2/3, 1), ``solved`` 1.
    """
    if pass_rate <= 0:
        return "unsolved"
    if pass_rate >= 1:
        return "solved"
    return "hard" if pass_rate < HARD_BELOW else "medium" if pass_rate < MEDIUM_BELOW else "easy"


def wilson_interval(right: int, samples: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share, by default of 95 %: (lower, upper) in [0, 1]; (0, 1) without samples.

    Raises:
        ValueError: ``right`` is not between 0 and ``samples``.
    """
    if not 0 <= right <= samples:
        raise ValueError(f"right must be between 0 and samples, but is {right} of {samples}")
    if samples == 0:
        return 0.0, 1.0
    share, square = right / samples, z * z
    center = (share + square / (2 * samples)) / (1 + square / samples)
    half = z / (1 + square / samples) * math.sqrt(share * (1 - share) / samples + square / (4 * samples * samples))
    return max(0.0, center - half), min(1.0, center + half)
