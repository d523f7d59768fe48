"""Verifying answers to questions without choices: the reward for the open form of ``rl_prompts``. Total, and linear in time."""

import re
from fractions import Fraction

from lgt_assets.synthesis.answers import LETTERS, answer_index
from lgt_assets.synthesis.final_answers import final_answer
from lgt_assets.synthesis.plain_text import plain, without_article

LETTER, NUMBER, EXACT_TEXT = "letter", "number", "exact_text"
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)}
_DIGITS = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,15})?")
_FRACTION = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
# "There are exactly", "the answer is": what comes before an answer without changing it.
_OPENING_WORDS = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?"
    r"(?:(?:the |my )?(?:final |correct |right )?answer(?: is|:)?|it(?:'s| is)|there(?:'s| is| are)|they are|that(?:'s| is)|"
    r"this is|i (?:see|count|can see))[: ] ?(?:exactly |only )?(?=\S)"
)
_NUMBER_THEN_NOUN = re.compile(r"(\S{1,40})((?: [^\W\d_][\w'-]{0,40}){0,4})")
_CHANGES_THE_NUMBER = re.compile(
    r"\b(?:and|or|not|to|minus|plus|times|point|half|halves|third|thirds|quarter|quarters|hundred|thousand|million|billion|dozen|"
    r"percent|less|more|fewer|least|most|than|maybe|if|but)\b"
)


def verify_open(text: str, answer: str, verification: str) -> bool:
    """Whether ``text`` gives ``answer``.

    Args:
        text: any text: a completion, whose last ``<answer>`` counts (cut off is wrong), or nothing but an answer.
        answer: the ``ground_truth`` of a row of ``rl_prompts``.
        verification: ``number``: the one number named equals it in value, in digits or words, with a noun or without
            ("There are three cups"); ``exact_text``: equal without regard to case, articles, markup and surrounding
            punctuation; ``letter``: the letter of the choice (where the choices are known,
            :func:`.answers.answer_index` judges better).

    Raises:
        ValueError: ``verification`` is none of these; never because of ``text`` or ``answer``.

    Example:
        >>> verify_open("<think> I count. </think><answer>There are three cups.</answer>", "3", "number")
        True
    """
    if verification == LETTER:
        index = answer_index(text, LETTERS)
        return index is not None and LETTERS[index] == answer.strip().upper()
    if verification not in (NUMBER, EXACT_TEXT):
        raise ValueError(f"verification is {verification!r}; there are {LETTER}, {NUMBER}, {EXACT_TEXT}")
    found = final_answer(text)
    given = [] if found is None else [_normal(found[0]), _normal(_led(plain(found[0])))]
    if verification == EXACT_TEXT:
        return bool(_normal(answer)) and _normal(answer) in given
    expected = number_of(answer)
    return expected is not None and expected in [_counted(candidate) for candidate in given]


def number_of(text: str) -> Fraction | None:
    """The number that ``text`` is as a whole: digits, a fraction, or words up to ninety-nine; None for anything else."""
    bare = plain(text)
    if _DIGITS.fullmatch(bare):
        return Fraction(bare.replace(",", ""))
    fraction = _FRACTION.fullmatch(bare)
    if fraction:
        return Fraction(int(fraction[1]), int(fraction[2])) if int(fraction[2]) else None
    tens, dash, units = bare.replace(" ", "-").partition("-")
    if not dash:
        return Fraction(_WORDS[bare]) if bare in _WORDS else None
    if tens in _TENS and units in _UNITS[1:10]:
        return Fraction(_WORDS[tens] + _WORDS[units])
    return None


def _counted(text: str) -> Fraction | None:
    """The number in "3" or "three small cups"; None where anything else is said of it."""
    whole = number_of(text)
    if whole is not None:
        return whole
    match = _NUMBER_THEN_NOUN.fullmatch(text)
    if (
        not match
        or _CHANGES_THE_NUMBER.search(match[2])
        or any(number_of(word) is not None for word in match[2].split())
    ):
        return None
    return number_of(match[1])


def _led(text: str) -> str:
    match = _OPENING_WORDS.match(text)
    return text[match.end() :] if match else text


def _normal(text: str) -> str:
    return without_article(plain(text))
