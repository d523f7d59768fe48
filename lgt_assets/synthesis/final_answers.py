"""Where a completion gives its answer: tags, a box, an "Answer:" line, a statement, a JSON field, or what follows the thought."""

import re

from lgt_assets.synthesis.tags import TRACE_TAG, Tag, with_real_tags

MAXIMUM_BOX, MOST_BOXES = 400, 8
_BOXED = re.compile(r"\\boxed\s{0,3}\{")
_BOX_START = re.compile(r"[ \t$]{0,4}\\boxed")
_ANSWER_LINE = re.compile(
    r"^[ \t>#*_-]{0,8}(?:(?:the )?(?:(?:final|correct|right|best|my) )?answer"
    r"|(?:final|correct|right|best|my) (?:option|choice)|ans)"
    r"(?:[ \t*_]{0,6}[:：]\s{0,4}[*_]{0,3}\s{0,4}|[*_]{0,3}[ \t]{0,3}\n\s{0,4})(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)
_STATEMENT = re.compile(
    r"\b(?:the|my) (?:(?:final|correct|right|best) )?(?:answer|option|choice)"
    r" (?:is|would be|should be|must be)\b[ \t:*]{0,6}(?=\S)",
    re.IGNORECASE,
)
_JSON_FIELD = re.compile(
    r"""["'](?:final_?|correct_?)?(?:answer|choice|option)["']\s{0,3}:\s{0,3}(?:"([^"\n]{1,300})"|'([^'\n]{1,300})')""",
    re.IGNORECASE,
)
_END_OF_TURN = re.compile(r"(?:\s{0,4}(?:<\|[^|<>]{1,30}\|>|<｜[^｜<>]{1,40}｜>|</s>)){1,4}\s{0,4}\Z")


class CutOffError(ValueError):
    """The text ends within its answer."""


def last_boxed(text: str) -> str | None:
    r"""What stands in the last complete ``\boxed{…}``, braces matched; None without one or where two of the last eight differ.

    Raises:
        CutOffError: the text ends within its last box.
    """
    if "\\boxed" not in text:
        return None
    contents, complete = [], True
    for match in list(_BOXED.finditer(text))[-MOST_BOXES:]:
        end = min(len(text), match.end() + MAXIMUM_BOX)
        depth, complete = 1, end < len(text)
        for position in range(match.end(), end):
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            if depth == 0:
                contents.append(text[match.end() : position])
                complete = True
                break
    if not complete:
        raise CutOffError
    return contents[-1] if contents and len(set(contents)) == 1 else None


def _last(pattern: re.Pattern, text: str) -> re.Match | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _answer_of_line(text: str) -> tuple[int, str] | None:
    match = _last(_ANSWER_LINE, text)
    return (match.start(), text[match.end() :]) if match else None


def _answer_of_field(text: str) -> tuple[int, str] | None:
    match = _last(_JSON_FIELD, text) if "{" in text else None
    return (match.start(), match[1] or match[2]) if match else None


def stated_answer(text: str) -> tuple[int, str] | None:
    """(start, answer) of the last explicit statement of an answer: boxed, "Answer: …", a JSON field, "The answer is …".

    Raises:
        CutOffError: the text ends within a box.
    """
    boxed = last_boxed(text)
    if boxed is not None:
        return _last(_BOX_START, text).start(), boxed
    found = _answer_of_line(text) or _answer_of_field(text)
    if found is None:
        statement = _last(_STATEMENT, text)
        found = (statement.start(), text[statement.end() :]) if statement else None
    return found


def without_end_of_turn(text: str) -> str:
    """``text`` without the special tokens by which models end a turn."""
    return _END_OF_TURN.sub("", text[-200:]) if len(text) <= 200 else text[:-200] + _END_OF_TURN.sub("", text[-200:])


def last_answer_span(tags: list[Tag]) -> tuple[int, int] | None:
    """Where the answer between tags starts and ends; None without an answer tag.

    The last opening tag counts, up to the first closing one; an answer that is only closed starts after the tag before.

    Raises:
        CutOffError: the last opening tag is not closed.
    """
    opened = [tag for tag in tags if tag.name == "answer" and not tag.closes]
    closed = [tag for tag in tags if tag.name == "answer" and tag.closes]
    if opened:
        closing = next((tag for tag in closed if tag.start >= opened[-1].end), None)
        if closing is None:
            raise CutOffError
        return opened[-1].end, closing.start
    if closed:
        before = [tag.end for tag in tags if tag.end <= closed[-1].start]
        return (before[-1] if before else 0), closed[-1].start
    return None


def final_answer(text: str) -> tuple[str, bool] | None:
    """The answer within a completion, or within a text that is nothing but an answer; None where it is cut off.

    The last ``<answer>`` counts; without one what is stated as the answer (boxed, after "Answer:" at a line's start, or in a
    JSON field), else all that follows the thought.

    Returns:
        The answer, and whether it may be a sentence: what merely follows a thought counts only as :func:`.answers.judge_tail`
        has it.
    """
    try:
        return _final_answer(text)
    except CutOffError:
        return None


def _final_answer(text: str) -> tuple[str, bool] | None:
    text, tags = with_real_tags(TRACE_TAG, text)
    span = last_answer_span(tags)
    if span:
        return text[slice(*span)], True
    text = without_end_of_turn(text)
    if not tags:
        boxed = last_boxed(text)
        found = None if boxed is not None else _answer_of_line(text) or _answer_of_field(text)
        return (boxed if boxed is not None else found[1] if found else text), True
    if not tags[-1].closes:
        return None
    stated = stated_answer(text[tags[-1].end :])
    return (stated[1], True) if stated else (text[tags[-1].end :], False)
