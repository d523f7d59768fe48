"""Which choice an answer names: the verifier of every stage, and of reinforcement learning later.

The rules, in this order:

1. An answer that as a whole equals one choice is that choice ("A reflection of red lights" may be choice C).
2. Otherwise every choice that the answer names counts, by letter or by text; text inside a longer choice's text does not.
3. One named choice is the answer. None, two or more, a letter with another choice's text, or a denied one are no answer.

What stands under a heading of its own after the answer ("Explanation: …") belongs to it no more.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from lgt_assets.synthesis.final_answers import final_answer
from lgt_assets.synthesis.mentions import LETTERS, judge_mentions, letter_index
from lgt_assets.synthesis.parsed import CUT_OFF, NO_ANSWER, NOT_A_CHOICE, SEVERAL_ANSWERS
from lgt_assets.synthesis.plain_text import plain, unmarked
from lgt_assets.synthesis.prepared_choices import PreparedChoices, prepare, whole_choice

__all__ = ["CUT_OFF", "LETTERS", "NOT_A_CHOICE", "NO_ANSWER", "SEVERAL_ANSWERS", "answer_index", "judge_answer"]

_LONE_LETTER = re.compile(r"[(\[{<]?\s?([A-Za-z])\s?[)\]}>]?[.,:;!]?")
_SHORT = re.compile(r"\(?([A-Z])\)?\.?")
_LABELLED = re.compile(r"[(\[{]? ?([A-Za-z]) ?(?:[)\]}]|[.:]|- )? ?[:.-]? ?")
_LABEL_START = re.compile(r"[\s*_`]{0,6}(?:[(\[][A-Za-z][)\]]|[A-Z][).:])(?=[\s*_`])")
_LEAD = re.compile(
    r"(?:so|thus|hence|therefore)?,? ?(?:i (?:would )?(?:choose|pick|select|say)|it(?:'?s| is| must be)|"
    r"(?:my |the )?(?:(?:final|correct|right|best|most \w{1,20}) )?(?:answer|option|choice|letter|one)"
    r"(?: (?:is|would be|should be|must be))?)"
    r" ?[:=]? ?(?:(?:option|choice|letter) )?",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(
    r"[\n,][ \t>*_#\"']{0,8}(?:explanation|reason|reasoning|rationale|justification)[ \t*_\"']{0,4}[:\n]", re.IGNORECASE
)
_NUMBER = re.compile(r"[Qq]?\d{1,2}[.):]\s")
_GOES_ON = re.compile(r"(?:\b(?:or|and|not|nor|either|neither)|[,/&])[\s*_]{0,4}\Z", re.IGNORECASE)
_LONGEST_LONE = 24
_LONGEST_REMEMBERED = 80
# A later stage asks for the verdicts of an earlier one again: of a run of 4,000 questions some 5,400. Those of runs before are
# never asked for, and a process that makes hundreds of shards would hold them all. Larger runs judge some again.
_MOST_REMEMBERED = 8192


def judge_answer(answer: str, choices: Sequence[str], *, whole_only: bool = False) -> int | str:
    """The index of the one choice that ``answer`` (text without tags) names, or the reason why there is none.

    Args:
        answer: what stands between the answer tags; any text.
        choices: the choices as shown, A first.
        whole_only: accept only a letter, a choice's text, or both, not a choice named within a sentence.

    Returns:
        An index, or ``no_answer``, ``answer_not_a_choice`` or ``several_answers``.
    """
    choices = tuple(choices)
    short = _SHORT.fullmatch(answer)
    if short:
        return _judge_letter(answer, short[1], prepare(choices))
    if len(answer) <= _LONGEST_REMEMBERED:
        return _judge_remembered(answer, choices, whole_only)
    return _judge(answer, choices, whole_only)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _judge_remembered(answer: str, choices: tuple[str, ...], whole_only: bool) -> int | str:
    return _judge(answer, choices, whole_only)


def _judge_letter(answer: str, letter: str, prepared: PreparedChoices) -> int | str:
    """The verdict on "B", "B." or "(B)", where a choice may itself be such a text."""
    if answer[0] == "(":
        index = prepared.exact.get(answer, -1)
    else:
        index = next(
            (i for i in (prepared.exact.get(answer, -1), prepared.plain.get(letter.lower(), -1)) if i >= 0), -1
        )
    index = index if index >= 0 else letter_index(letter)
    return index if index < prepared.count else NOT_A_CHOICE


def _judge(answer: str, choices: tuple[str, ...], whole_only: bool) -> int | str:
    prepared = prepare(choices)
    if not answer.strip():
        return NO_ANSWER
    index = prepared.exact.get(answer.strip(), -1)
    if index >= 0:
        return index
    explained = _EXPLANATION.search(answer)
    if explained and answer[: explained.start()].strip():
        answer = answer[: explained.start()]
    text = unmarked(answer)
    lead = _LEAD.match(text)
    candidates = [text] if not lead or not lead[0] else [text, text[lead.end() :]]
    for candidate in candidates:
        bracketed = candidate[:1] in "([{<" and _LONE_LETTER.fullmatch(candidate)
        whole = None if bracketed else whole_choice(candidate, choices)
        verdict = _letter_and_rest(candidate, choices, prepared) if whole is None else whole
        if verdict is not None:
            return verdict
    return NOT_A_CHOICE if whole_only else judge_mentions(text, choices)


def _lone_letter(text: str) -> str | None:
    """The one letter that ``text`` holds beside marks and signs of any kind and a list's number: "B", "「B」", "1. B"."""
    if len(text) > _LONGEST_LONE:
        return None
    numbered = _NUMBER.match(text)
    signs = [character for character in (text[numbered.end() :] if numbered else text) if character.isalnum()]
    return signs[0] if len(signs) == 1 and signs[0].isascii() and signs[0].isalpha() else None


def _letter_and_rest(text: str, choices: tuple[str, ...], prepared: PreparedChoices) -> int | str | None:
    """The verdict on "B", "(B)", "B. red", "B red"; None where ``text`` has no such form."""
    alone = _lone_letter(text)
    if alone:
        index = letter_index(alone)
        return index if index < prepared.count else NOT_A_CHOICE
    label = _LABELLED.match(text)
    if label is None or not text[label.end() :]:
        return None
    if label[0][-1].isalpha() or (label[0].strip().isalpha() and label[1] == "a"):
        return None  # the first letter of a word, or an article
    rest, index = text[label.end() :], letter_index(label[1])
    if index >= prepared.count and label[0].strip().isalpha():
        return None  # "I cannot tell"
    if index < prepared.count and plain(rest) == prepared.plains[index]:
        return index  # its own text, though another choice may have the same
    whole = whole_choice(rest, choices)
    return whole if whole is None or whole == index else SEVERAL_ANSWERS


def judge_tail(tail: str, choices: Sequence[str]) -> int | str:
    """The verdict on ``tail``, what follows a thought without being marked as the answer.

    A sentence there may be the beginning of an explanation that was cut off. So only these count: the whole tail, its
    first line or its last line where that is a letter, a choice or both; and a tail that begins with a letter as a label.
    """
    lines = [line for line in tail.splitlines() if line.strip()]
    last = lines[-1:] if len(lines) < 2 or not _GOES_ON.search(lines[-2][-20:]) else []
    verdicts = [judge_answer(part, choices, whole_only=True) for part in dict.fromkeys([tail, *lines[:1], *last])]
    indices = {verdict for verdict in verdicts if isinstance(verdict, int)}
    if len(indices) == 1 and SEVERAL_ANSWERS not in verdicts:
        return indices.pop()
    if not indices and _LABEL_START.match(tail):
        return judge_answer(tail, choices)
    return NO_ANSWER


def answer_index(text: str, choices: Sequence[str]) -> int | None:
    """The index of the one choice that ``text`` answers with; None where it answers with none or with several.

    ``text`` may be a whole completion: the last ``<answer>`` counts (cut off: None); see
    :func:`.final_answers.final_answer` for texts without one.

    Args:
        text: any text.
        choices: the choices as shown, A first; up to 26.

    Example:
        >>> answer_index("<think> … </think><answer>(B) red</answer>", ["blue", "red", "green"])
        1
    """
    found = final_answer(text)
    if found is None:
        return None
    verdict = judge_answer(found[0], choices) if found[1] else judge_tail(found[0], choices)
    return verdict if isinstance(verdict, int) else None
