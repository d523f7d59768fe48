"""Rewards for reinforcement learning on ``rl_prompts``, as each trainer calls them: the answer verifier and the traces' form.

Nothing here imports more than the standard library and the verifier, so that :mod:`.rewards` can join it to one file. A score
is 1.0 or 0.0, whatever a model wrote: any text, of any length, is judged in linear time and raises nothing. What is wrong with
a data set (an unknown way of verifying, columns of different lengths) raises ``ValueError``.

How an answer is judged, by ``verification``: ``letter`` by the choices where they are given, so that the right choice's text
counts as well; ``number`` by value; ``exact_text`` without regard to case, articles and markup. Where a data set has nothing
but an answer, one letter A to Z is a letter, a number a number, and all else exact text.
"""

from collections.abc import Sequence

from lgt_assets.synthesis.answers import LETTERS, answer_index
from lgt_assets.synthesis.final_answers import without_end_of_turn
from lgt_assets.synthesis.open_answers import EXACT_TEXT, LETTER, NUMBER, number_of, verify_open
from lgt_assets.synthesis.tags import TRACE_TAG, find_tags

__all__ = [
    "answer_reward", "answer_score", "compute_score", "easyr1_reward", "format_reward", "format_score", "reward_func",
]  # fmt: skip

REWARD_NAME, REWARD_TYPE = "lgt", "batch"  # EasyR1 reads these
FORMAT_WEIGHT = 0.1
_LAYOUT = ["<think>", "</think>", "<answer>", "</answer>"]
_SHORTEST_PROMPT_END = 16


def answer_score(
    text: str, ground_truth: object, verification: str | None = None, choices: Sequence[str] | None = None
) -> float:
    """1.0 where ``text`` gives the right answer, else 0.0.

    Args:
        text: a completion.
        ground_truth: the right answer: a letter, a number, or text.
        verification: ``letter``, ``number`` or ``exact_text``; None: by the looks of ``ground_truth``.
        choices: the choices as shown, A first; None or empty where they are not known, or where the question has none.

    Raises:
        ValueError: ``verification`` is none of these.
    """
    truth = str(ground_truth).strip()
    shown = [] if choices is None else [str(choice) for choice in choices]
    if verification is None:
        is_letter = len(truth) == 1 and truth in LETTERS
        verification = LETTER if is_letter else EXACT_TEXT if number_of(truth) is None else NUMBER
    if verification == LETTER and shown:
        index = answer_index(text, shown)
        return float(index is not None and LETTERS[index : index + 1] == truth.upper() != "")
    return float(verify_open(text, truth, verification))


def format_score(text: str) -> float:
    """1.0 where ``text`` is one ``<think>`` with a thought, then one ``<answer>`` with an answer, and nothing else.

    Whitespace around and between them and an end-of-turn token do not count. Anything else that the verifier would take for
    one of these tags (``<ANSWER>``, ``<thinking>``) is one too many.
    """
    text = without_end_of_turn(text)
    tags = find_tags(TRACE_TAG, text)
    if [text[tag.start : tag.end] for tag in tags] != _LAYOUT:
        return 0.0
    opened, thought_end, answer_start, closed = tags
    inside = (text[opened.end : thought_end.start], text[answer_start.end : closed.start])
    outside = (text[: opened.start], text[thought_end.end : answer_start.start], text[closed.end :])
    return float(all(map(str.strip, inside)) and not any(map(str.strip, outside)))


def answer_reward(
    completions: Sequence[object],
    ground_truth: Sequence[object],
    verification: Sequence[str | None] | None = None,
    choices: Sequence[Sequence[str] | None] | None = None,
    **_columns: object,
) -> list[float]:
    """TRL's GRPO: one :func:`answer_score` for each completion, a string or a list of messages.

    Raises:
        ValueError: the columns have different lengths, or a way of verifying is unknown.
    """
    nothing = [None] * len(completions)
    columns = (ground_truth, nothing if verification is None else verification, nothing if choices is None else choices)
    texts = map(_text_of, completions)
    return [answer_score(text, *row) for text, *row in zip(texts, *columns, strict=True)]


def format_reward(completions: Sequence[object], **_columns: object) -> list[float]:
    """TRL's GRPO: one :func:`format_score` for each completion."""
    return [format_score(_text_of(completion)) for completion in completions]


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: dict | None = None,
    *,
    format_weight: float = FORMAT_WEIGHT,
    **_settings: object,
) -> dict[str, float]:
    """verl: ``score`` is the answer's and the format's by weight, ``acc`` the answer's alone (verl validates by it).

    Args:
        data_source: not looked at.
        solution_str: the completion.
        ground_truth: the right answer.
        extra_info: may hold ``verification`` and ``choices``, as a list or an array, or null.
        format_weight: the format's share of the score, 0 to 1 (verl: ``reward.custom_reward_function.reward_kwargs``).
    """
    known = extra_info or {}
    answer = answer_score(_text_of(solution_str), ground_truth, known.get("verification"), known.get("choices"))
    layout = format_score(_text_of(solution_str))
    return {"score": _weighted(answer, layout, format_weight), "acc": answer, "format": layout}


def easyr1_reward(
    reward_inputs: dict | Sequence[dict], format_weight: float = FORMAT_WEIGHT
) -> dict[str, float] | list[dict[str, float]]:
    """EasyR1, batch or sequential: ``overall``, ``accuracy`` and ``format`` for each ``response`` and ``ground_truth``."""
    if not isinstance(reward_inputs, dict):
        return [easyr1_reward(reward_input, format_weight) for reward_input in reward_inputs]
    text = _text_of(reward_inputs["response"])
    answer, layout = answer_score(text, reward_inputs["ground_truth"]), format_score(text)
    return {"overall": _weighted(answer, layout, format_weight), "accuracy": answer, "format": layout}


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[object], **_settings: object
) -> dict[str, object]:
    """OpenRLHF: ``rewards`` (with the format's share), ``scores`` (the answer's alone) and ``extra_logs``.

    OpenRLHF asks for one query at a time and makes a tensor of the number it gets; for several queries these are lists.

    Args:
        queries: prompt and completion in one text.
        prompts: the prompt alone; in ``queries`` its picture may be written as many tokens.
        labels: the right answers.

    Raises:
        ValueError: a query does not hold its prompt, so that the prompt's example might be rewarded.
    """
    texts = [_after_prompt(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    answers = [answer_score(text, label) for text, label in zip(texts, labels, strict=True)]
    layouts = list(map(format_score, texts))
    rewards = [_weighted(answer, layout, FORMAT_WEIGHT) for answer, layout in zip(answers, layouts, strict=True)]
    if len(texts) == 1:
        return {"rewards": rewards[0], "scores": answers[0], "extra_logs": {"format": layouts[0]}}
    return {"rewards": rewards, "scores": answers, "extra_logs": {"format": layouts}}


def _weighted(answer: float, layout: float, format_weight: float) -> float:
    return (1 - format_weight) * answer + format_weight * layout


def _text_of(completion: object) -> str:
    """The text of a completion: a string, or the last message's content, itself a string or typed parts."""
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence) or not completion or not isinstance(completion[-1], dict):
        return ""
    content = completion[-1].get("content")
    if isinstance(content, Sequence) and not isinstance(content, str):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _after_prompt(query: str, prompt: str) -> str:
    """What follows the prompt in ``query``, found by the longest of its ends that is there: halves, quarters and so on."""
    length = len(prompt)
    while length >= min(_SHORTEST_PROMPT_END, len(prompt)):
        end = prompt[len(prompt) - length :]
        start = query.find(end)
        if start >= 0:
            return query[start + length :]
        length //= 2
    raise ValueError(
        f"the query does not hold its prompt, which ends in {prompt[-40:]!r}: give OpenRLHF the prompts that it was made of"
    )
