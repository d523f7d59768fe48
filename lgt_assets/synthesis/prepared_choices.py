"""Choices made ready for comparison, once for all the answers that are held against them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lgt_assets.synthesis.plain_text import digits_for_words, has_numbers, plain, without_article

BEFORE, AFTER = r"(?<!\w)(?<!\w[-'.])", r"(?!\w)(?!['-]\w)"  # whole words
_BEGINS, _BEGINS_NUMBER = re.compile(BEFORE), re.compile(BEFORE + r"(?<!\d[.,/:])(?<!-)")
_ENDS, _ENDS_NUMBER = re.compile(AFTER), re.compile(AFTER + r"(?![.,/:]?\d)(?!%)")
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=[^\W\d]{1,4}(?!\w)|[%°])")
# What is remembered here lasts as long as the process, at 1.3 kB a question's choices and 1 kB its needles. A run of 4,000
# questions asks for some 8,600 and 2,000 of them, mostly soon again: more would be memory, and hardly any time less.


@dataclass(frozen=True)
class PreparedChoices:
    """Choices by the forms in which an answer may equal one; an index of -1 marks a form that two choices share.

    Attributes:
        plains: each choice as :func:`.plain_text.plain` makes it.
        exact, plain, bare, loose: index by the choice as it stands, plain, without its article, and with "two" as "2" and
            "10 cm" as "10cm".
        numeric: some choice holds a number, so that "two" and "2" are to be taken for one another.
    """

    plains: tuple[str, ...]
    exact: dict[str, int]
    plain: dict[str, int]
    bare: dict[str, int]
    loose: dict[str, int]
    numeric: bool

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.plains)


def _index_by(texts: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, text in enumerate(texts):
        found[text] = -1 if text in found else index
    found.pop("", None)
    return found


def _loose(bare: str) -> str:
    return _NUMBER_AND_UNIT.sub("", digits_for_words(bare))


@lru_cache(maxsize=4096)
def prepare(choices: tuple[str, ...]) -> PreparedChoices:
    """``choices`` made ready; remembered for the questions asked last."""
    plains = tuple(plain(choice) for choice in choices)
    bares = [without_article(text) for text in plains]
    numeric = any(map(has_numbers, plains))
    return PreparedChoices(
        plains=plains,
        exact=_index_by([choice.strip() for choice in choices]),
        plain=_index_by(list(plains)),
        bare=_index_by(bares),
        loose=_index_by([_loose(text) for text in bares]) if numeric else {},
        numeric=numeric,
    )


def whole_choice(text: str, choices: tuple[str, ...]) -> int | None:
    """The choice that ``text`` equals as a whole, an article and the way numbers are written aside; None for none.

    A capital A before a capital or a digit is a letter ("A Red"), not an article.
    """
    prepared = prepare(choices)
    index = prepared.exact.get(text.strip(), -1)
    if index >= 0:
        return index
    same = plain(text)
    index = prepared.plain.get(same, -1)
    if index >= 0:
        return index
    if text[:2] == "A " and (text[2:3].isupper() or text[2:3].isdigit()):
        return None
    bare = without_article(same)
    index = prepared.bare.get(bare, -1)
    if index < 0 and prepared.numeric and bare not in prepared.bare:
        index = prepared.loose.get(_loose(bare), -1)
    return index if index >= 0 else None


class Needle(NamedTuple):
    """A choice's text as it is looked for in a sentence; ``index`` is -1 where two choices share it.

    ``left`` and ``right`` match without width where a text may begin and end: not within a longer word or number.
    """

    text: str
    index: int
    left: re.Pattern | None
    right: re.Pattern | None


@lru_cache(maxsize=2048)
def needles(choices: tuple[str, ...]) -> tuple[Needle, ...]:
    """What to look for, one for each different text."""
    prepared = prepare(choices)
    table = prepared.bare
    if prepared.numeric:
        table = _index_by([digits_for_words(without_article(text)) for text in prepared.plains])
    return tuple(
        Needle(text, index, _edge(text[0], _BEGINS, _BEGINS_NUMBER), _edge(text[-1], _ENDS, _ENDS_NUMBER))
        for text, index in table.items()
    )


def _edge(character: str, of_word: re.Pattern, of_number: re.Pattern) -> re.Pattern | None:
    if not character.isalnum() or character >= "\u2e80":
        return None
    return of_number if character.isdigit() else of_word
