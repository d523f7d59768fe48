"""Prompts for reinforcement learning with verifiable answers, each with the VLM's pass rate as its difficulty.

Two forms: ``choice`` asks for a letter; ``open`` asks a question that stands without its choices, without them.
"""

import polars as pl

from lgt_assets.engines.base import Message
from lgt_assets.identity import row_id
from lgt_assets.prompts.templates import PromptSet
from lgt_assets.settings import Profile
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.intervals import wilson_interval
from lgt_assets.synthesis.open_form import open_verification
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import Shown, as_rows, show, stage_of, user_messages
from lgt_assets.synthesis.turns import reject_others

ASSET = "rl_prompts"
OPEN_TEMPLATE = "open"
NO_SAMPLES = "no_samples"
HARD_BELOW, MEDIUM_BELOW = 1 / 3, 2 / 3


def build_prompts(
    shard: str, questions: pl.DataFrame, cots: pl.DataFrame, *, profile: Profile, prompts: PromptSet
) -> Outcome:
    """Rows of ``rl_prompts``: one of each form for each question that has a parsed sample; the open one where it stands.

    Args:
        shard: the shard's key.
        questions: rows of ``seed_questions`` and ``composed_questions`` in one frame of their common columns.
        cots: their rows of ``distilled_cots``; the pass rate is the share of right ones among all of them. Both forms carry
            it: the open one was not sampled, and without choices to guess from it is no easier.
        prompts: a set without a template ``open`` makes no open prompts.

    Rejection reasons: ``no_samples`` (not one sample of the VLM could be parsed, so that nothing is known of its difficulty),
    ``shown_differently`` (a sample that saw the choices in another order).
    """
    outcome = Outcome()
    samples = by_key(in_order(cots), "question_id")
    with_open = profile.rl.open_form and prompts.has(OPEN_TEMPLATE)
    for question in in_order(questions, "hops", "ordinal", "question_id"):
        shown = show(question, profile.distill.answer_formats)
        own = samples.get(question["question_id"], [])
        known = [row for row in own if tuple(row["choices_shown"]) == shown.choices]
        reject_others(outcome, shard, ASSET, [row for row in own if row not in known])
        if not known:
            outcome.reject(
                shard, ASSET, NO_SAMPLES, request_key=None, parent_id=question["question_id"], raw=question["question"]
            )
            continue
        shared = _shared(
            shard, question, shown, sum(row["answer_index"] == shown.right_index for row in known), len(known)
        )
        forms = [_choice_form(question, shown, prompts)]
        verification = open_verification(
            question["question"], shown.choices, shown.right_index, most_words=profile.rl.open_answer_words
        )
        if with_open and verification:
            forms.append(_open_form(question, shown, verification, prompts))
        for form in forms:
            prompt_id = row_id(ASSET, shard, question["question_id"], form["form"])
            outcome.rows.append({"ordinal": len(outcome.rows), "prompt_id": prompt_id} | shared | form)
    return outcome


def _shared(shard: str, question: dict, shown: Shown, right: int, samples: int) -> dict:
    low, high = wilson_interval(right, samples)
    return {
        "shard": shard, "question_id": question["question_id"], "image_id": question["image_id"], "stage": stage_of(question),
        "images": [question["image_id"]], "answer_text": shown.choices[shown.right_index], "pass_rate": right / samples,
        "pass_rate_low": low, "pass_rate_high": high, "samples": samples, "difficulty": difficulty_of(right, samples),
    }  # fmt: skip


def _choice_form(question: dict, shown: Shown, prompts: PromptSet) -> dict:
    return {
        "form": "choice", "messages": as_rows(user_messages(prompts, question["question"], shown)),
        "choices_shown": list(shown.choices), "verification": "letter", "ground_truth": shown.right_letter,
    }  # fmt: skip


def _open_form(question: dict, shown: Shown, verification: str, prompts: PromptSet) -> dict:
    messages: tuple[Message, ...] = prompts.messages(
        OPEN_TEMPLATE, question=question["question"], verification=verification
    )
    return {
        "form": "open", "messages": as_rows(messages), "choices_shown": [], "verification": verification,
        "ground_truth": shown.choices[shown.right_index],
    }  # fmt: skip


def difficulty_of(right: int, samples: int) -> str:
    """The band of a pass rate, ``right`` of ``samples``.

    ``unsolved`` none, ``hard`` below 1/3, ``medium`` below 2/3, ``easy`` from there, ``solved`` all. All or none must also be
    more than chance says: its Wilson interval (95 %) lies on one side of 1/2, which takes four samples; fewer are ``easy`` or
    ``hard``. How sure any band is, the columns ``pass_rate_low`` and ``pass_rate_high`` say.

    Raises:
        ValueError: ``right`` is not between 0 and ``samples``, or there is no sample.
    """
    if samples < 1:
        raise ValueError("a pass rate takes at least one sample")
    low, high = wilson_interval(right, samples)
    if right == 0 and high < 0.5:
        return "unsolved"
    if right == samples and low > 0.5:
        return "solved"
    share = right / samples
    return "hard" if share < HARD_BELOW else "medium" if share < MEDIUM_BELOW else "easy"
