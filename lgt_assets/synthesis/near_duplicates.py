"""When two questions of one picture ask the same. Words that carry meaning decide; how they are strung together does not.

A similarity of whole texts would take "How many red stars are there?" for "How many blue stars are there?". So two questions
are near-duplicates only if

* neither says something in place of what the other says: their content words (no function words, no plurals) are the
  same, or one has some more; numbers are always the same;
* and either the content words stand in the same order; or the right answers are equal and say something ("the red
  star", not "yes" or "2"), and the sorted content words are alike. Without such an answer the order decides: "Where is
  the cup relative to the plate?" is not "Where is the plate relative to the cup?".

How alike is rapidfuzz's normalized indel similarity, 0 to 1.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

from lgt_assets.synthesis.plain_text import plain

DUPLICATE_QUESTION, NEAR_DUPLICATE = "duplicate_question", "near_duplicate"
_WORD = re.compile(r"\w+(?:[-'.]\w+)*")
_SETTING = re.compile(r"\b(?:in|of|from) (?:the|this) (?:picture|image|photo|photograph|scene)\b")
_FUNCTION_WORDS = frozenset(
    "a an the this that these those it its of is are was were be been being do does did has have had what which can could "
    "you we see seen there visible shown depicted picture image photo scene and".split()
)
_NUMBERS = frozenset("no none zero one two three four five six seven eight nine ten eleven twelve".split())
_SAYING_LITTLE = _NUMBERS | {"yes", "true", "false", "both", "neither"}


@dataclass(frozen=True)
class AskedQuestion:
    """A question as it is compared: its plain text, its content words in order, its plain right answer."""

    text: str
    words: tuple[str, ...]
    answer: str


def asked_question(question: str, answer: str) -> AskedQuestion:
    """``question`` with the text of its right choice, ready to be compared."""
    text = plain(question)
    return AskedQuestion(text, content_words(text), plain(answer))


def content_words(text: str) -> tuple[str, ...]:
    """Words that carry a question's meaning, in order, singular; all of its words if none do."""
    words = [word.removesuffix("'s") for word in _WORD.findall(_SETTING.sub(" ", text.casefold()))]
    return tuple(_singular(word) for word in words if word not in _FUNCTION_WORDS) or tuple(words)


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def duplicate_reason(new: AskedQuestion, earlier: Iterable[AskedQuestion], similarity: float | None) -> str | None:
    """Why ``new`` asks what one of ``earlier`` asks: ``duplicate_question``, ``near_duplicate``, or None if it does not.

    Args:
        new: a question of one picture.
        earlier: questions of the same picture that were accepted before.
        similarity: 0 to 1, from which on questions are near-duplicates; None finds equal texts only.
    """
    earlier = list(earlier)
    if any(new.text == other.text for other in earlier):
        return DUPLICATE_QUESTION
    if similarity is not None and any(are_near_duplicates(new, other, similarity) for other in earlier):
        return NEAR_DUPLICATE
    return None


def are_near_duplicates(one: AskedQuestion, other: AskedQuestion, similarity: float) -> bool:
    """Whether two questions of a picture are one, by the rule of this module; symmetric."""
    missing, added = Counter(one.words) - Counter(other.words), Counter(other.words) - Counter(one.words)
    if missing and added:
        return False
    if any(word in _NUMBERS or any(map(str.isdigit, word)) for word in missing | added):
        return False
    if one.words == other.words:
        return True
    if one.answer != other.answer or one.answer in _SAYING_LITTLE or one.answer.isdigit():
        return False
    return fuzz.ratio(" ".join(sorted(one.words)), " ".join(sorted(other.words))) >= 100 * similarity
