"""Reading a chain of thought: thought, answer, and the choice that the answer names."""

from collections.abc import Sequence

from lgt_assets.synthesis.answers import CUT_OFF, NO_ANSWER, judge_answer
from lgt_assets.synthesis.parsed import ParsedTrace, Rejected
from lgt_assets.synthesis.tags import TRACE_TAG, Tag, find_tags, stated_answer, without_tags

EMPTY_THOUGHT = "empty_thought"


def parse_trace(text: str, choices: Sequence[str], *, prefix: str = "") -> ParsedTrace | Rejected:
    """The thought and the answer of a completion; pure, total, linear in the text's length.

    Args:
        text: what the model wrote.
        choices: the choices as shown, A first; empty for a free answer.
        prefix: the start of the assistant turn that the model continued; part of the thought, kept exactly.

    Returns:
        A trace whose ``answer_index`` is a choice (None without choices), or a rejection with the reason ``cut_off``,
        ``no_answer``, ``empty_thought``, ``answer_not_a_choice`` or ``several_answers`` and ``text`` as raw text.
    """
    whole = prefix + text
    tags = find_tags(TRACE_TAG, whole)
    split = (
        _split_at_answer_tag(whole, tags) if any(tag.name == "answer" for tag in tags) else _split_untagged(whole, tags)
    )
    if isinstance(split, str):
        return Rejected(split, text)
    thought, answer, trusted = split
    answer = answer.strip()
    if not answer:
        return Rejected(NO_ANSWER, text)
    if not thought:
        return Rejected(EMPTY_THOUGHT, text)
    if not choices:
        return ParsedTrace(thought, answer, None)
    verdict = judge_answer(answer, choices, whole_only=not trusted)
    if isinstance(verdict, int):
        return ParsedTrace(thought, answer, verdict)
    return Rejected(verdict if trusted else NO_ANSWER, text)


def _split_at_answer_tag(whole: str, tags: list[Tag]) -> tuple[str, str, bool] | str:
    """(thought, answer, True) by the last answer tag, or why there is none."""
    opened = [tag for tag in tags if tag.name == "answer" and not tag.closes]
    closed = [tag for tag in tags if tag.name == "answer" and tag.closes]
    if not opened:  # only </answer>: what stands between the thought and it
        before = [tag for tag in tags if tag.end <= closed[-1].start]
        if not before:
            return NO_ANSWER
        return _thought(whole, tags, before[-1].start), whole[before[-1].end : closed[-1].start], True
    closing = [tag for tag in closed if tag.start >= opened[-1].end]
    if not closing:
        return CUT_OFF
    return _thought(whole, tags, opened[-1].start), whole[opened[-1].end : closing[0].start], True


def _thought(whole: str, tags: list[Tag], answer_start: int) -> str:
    """The thought before ``answer_start``: between the first opening and the last closing tag, where there are such."""
    thinks = [tag for tag in tags if tag.name == "think" and tag.start <= answer_start]
    starts = [tag.end for tag in thinks if not tag.closes]
    ends = [tag.start for tag in thinks if tag.closes]
    start, end = (starts[0] if starts else 0), (ends[-1] if ends else answer_start)
    if end < start:  # the only thought was opened after a stray closing tag
        end = answer_start
    return without_tags(TRACE_TAG, whole[start:end]).strip()


def _split_untagged(whole: str, tags: list[Tag]) -> tuple[str, str, bool] | str:
    """(thought, answer, whether it was stated as the answer) of a text without answer tags, or why there is none."""
    if tags and not tags[-1].closes:
        return CUT_OFF
    if tags:
        thought, tail = _thought(whole, tags, len(whole)), whole[tags[-1].end :]
        stated = stated_answer(tail)
        return (thought, stated[1], True) if stated else (thought, tail, False)
    stated = stated_answer(whole)
    return (whole[: stated[0]].strip(), stated[1], True) if stated else NO_ANSWER
