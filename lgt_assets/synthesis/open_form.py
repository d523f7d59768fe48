"""Which questions can be asked without their choices, and how an answer to them is verified.

Rules that are strict rather than complete: a question that is wrongly left out costs one prompt, one that is wrongly let in
rewards the wrong answers.
"""

import re
from collections.abc import Sequence

from lgt_assets.synthesis.open_answers import number_of
from lgt_assets.synthesis.plain_text import plain, without_article

# The question leans on its choices, asks for what they lack, or has right answers in too many words to compare.
_LEANS_ON_CHOICES = re.compile(
    r"\b(?:options?|choices?|following|listed|given (?:below|above|answers?)|these|those|alternatives?)\b|"
    r"\bwhich of\b|\bwhich one\b|"
    r"\b(?:which|what) (?:statement|sentence|description|phrase|answer|claim|pair|combination|list|order|sequence)s?\b|"
    r"\bbest\b|\bmost (?:likely|probably|accurate|accurately|appropriate)\b"
)
_DENIES = re.compile(r"\b(?:not|except|without|never|other than|besides|apart from)\b|n't\b")
_MANY_WORDINGS = re.compile(
    r"\b(?:where|why|describe|explain|purpose|reason|mood|atmosphere|relationship|relative to)\b|\bhow (?!many\b|much\b)|"
    r"\b(?:which|what) (?:part|direction|side|area|corner|region|way|place|location)\b|"
    r"\b(?:likely|probably|possibly|perhaps|might|could|would|may|suggests?|implies|imply)\b"
)
# The answer is about the choices, or about the asking, and not about the picture.
_ABOUT_CHOICES = re.compile(
    r"\b(?:none|neither|nor|both|all|any|either|other|others|unknown|unclear|uncertain|unsure|depends|undetermined|"
    r"above|below|options?|choices?|same|equal|equally|different)\b|"
    r"\b(?:cannot|can not|not|never)\b|n't\b|^[a-z]$"
)
_LIST = re.compile(r"\b(?:and|or)\b|[,;/&+]")


def open_verification(question: str, choices: Sequence[str], answer_index: int, *, most_words: int) -> str | None:
    """How an answer to the question without its choices is verified, or None where it does not stand without them.

    Args:
        question: the question's text.
        choices: its choices.
        answer_index: the right one.
        most_words: words of the right choice, at most.

    Returns:
        ``number`` where all choices are numbers, else ``exact_text``, or None.

    Example:
        >>> open_verification("How many cups are there?", ["2", "three", "4"], 1, most_words=3)
        'number'
        >>> open_verification("Which of these is red?", ["cup", "mug"], 0, most_words=3) is None
        True
    """
    asked = plain(question)
    if not _words(asked) or any(pattern.search(asked) for pattern in (_LEANS_ON_CHOICES, _DENIES, _MANY_WORDINGS)):
        return None
    texts = [without_article(plain(choice)) for choice in choices]
    if len(set(texts)) < len(texts) or not texts[answer_index].strip():
        return None
    numbers = [number_of(text) for text in texts]
    if None not in numbers:
        return "number" if len(set(numbers)) == len(numbers) else None
    answer = texts[answer_index]
    if _ABOUT_CHOICES.search(answer) or _LIST.search(answer) or len(_words(answer)) > most_words:
        return None
    return "exact_text" if _words(answer) else None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
