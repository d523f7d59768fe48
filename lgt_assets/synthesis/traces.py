"""Reading a chain of thought: thought, answer, and the choice that the answer names."""

import json
import re
from collections.abc import Sequence

from lgt_assets.synthesis.answers import judge_answer, judge_tail
from lgt_assets.synthesis.final_answers import CutOffError, last_answer_span, stated_answer, without_end_of_turn
from lgt_assets.synthesis.parsed import CUT_OFF, EMPTY_THOUGHT, NO_ANSWER, ParsedTrace, Rejected
from lgt_assets.synthesis.tags import TRACE_TAG, Tag, with_real_tags, without_tags

_BROKEN_TAG = re.compile(r"<\s?/?\s?[a-z_]{0,12}\s?\Z", re.IGNORECASE)
_THOUGHT_FIELDS = ("thought", "think", "thinking", "reasoning", "rationale", "explanation", "analysis")


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
    try:
        thought, answer, trusted = _split(prefix + text, len(prefix))
    except CutOffError:
        return Rejected(CUT_OFF, text)
    answer = answer.strip()
    if not answer:
        return Rejected(NO_ANSWER, text)
    if not thought:
        return Rejected(EMPTY_THOUGHT, text)
    if not choices:
        return ParsedTrace(thought, answer, None)
    verdict = judge_answer(answer, choices) if trusted else judge_tail(answer, choices)
    return ParsedTrace(thought, answer, verdict) if isinstance(verdict, int) else Rejected(verdict, text)


def _split(whole: str, prefixed: int) -> tuple[str, str, bool]:
    """(thought, answer, whether it was marked as the answer); the answer is empty where there is none.

    An answer within the ``prefixed`` first characters is not the model's: it went on thinking and never came to its own.
    """
    whole, tags = with_real_tags(TRACE_TAG, whole)
    span = last_answer_span(tags)
    if span and span[1] <= prefixed:
        raise CutOffError
    if span:
        before = [tag for tag in tags if tag.end <= span[0]]
        if not before:
            return "", "", True
        return _thought(whole, tags, before[-1].start), whole[slice(*span)], True
    return _split_untagged(without_end_of_turn(whole), tags)


def _thought(whole: str, tags: list[Tag], answer_start: int) -> str:
    """The thought before ``answer_start``: between the first opening and the last closing tag, where there are such."""
    thinks = [tag for tag in tags if tag.name == "think" and tag.start <= answer_start]
    start = next((tag.end for tag in thinks if not tag.closes), 0)
    end = next((tag.start for tag in reversed(thinks) if tag.closes), answer_start)
    if end < start:  # the only thought was opened after a stray closing tag
        end = answer_start
    inner = any(start <= tag.start < end for tag in tags)
    return (without_tags(TRACE_TAG, whole[start:end]) if inner else whole[start:end]).strip()


def _split_untagged(whole: str, tags: list[Tag]) -> tuple[str, str, bool]:
    if (tags and not tags[-1].closes) or _BROKEN_TAG.search(whole[-20:]):
        raise CutOffError
    if tags:
        thought, tail = _thought(whole, tags, len(whole)), whole[tags[-1].end :]
        stated = stated_answer(tail)
        return (thought, stated[1], True) if stated else (thought, tail, False)
    stated = stated_answer(whole)
    if stated is None:
        return "", "", True
    return _thought_of_object(whole) or whole[: stated[0]].strip(), stated[1], True


def _thought_of_object(text: str) -> str:
    """The thought of a reply that is one JSON object; empty for any other."""
    if not text.lstrip().startswith("{"):
        return ""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    thoughts = [fields.get(name) for name in _THOUGHT_FIELDS]
    return next((thought.strip() for thought in thoughts if isinstance(thought, str)), "")
