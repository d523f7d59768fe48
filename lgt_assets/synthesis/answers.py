"""Which choice an answer names: the verifier of every stage, and of reinforcement learning later.

The rules, in this order:

1. An answer that as a whole equals one choice is that choice ("A reflection of red lights" may be choice C).
2. Otherwise every choice that the answer names counts, by letter or by text; text inside a longer choice's text does not.
3. One named choice is the answer. None, two or more, a letter with another choice's text, or a denied one are no answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lgt_assets.synthesis.plain_text import plain, unmarked, without_article
from lgt_assets.synthesis.tags import final_answer

NO_ANSWER = "no_answer"
CUT_OFF = "cut_off"
NOT_A_CHOICE = "answer_not_a_choice"
SEVERAL_ANSWERS = "several_answers"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_BEFORE, _AFTER = r"(?<!\w)(?<!\w[-'.])", r"(?!\w)(?!['-]\w)"  # whole words
_LONE_LETTER = re.compile(r"[(\[{<]?\s?([A-Za-z])\s?[)\]}>]?[.,:;!]?")
_LEAD = re.compile(
    r"(?:so|thus|hence|therefore)?,? ?(?:i (?:would )?(?:choose|pick|select|say)|it(?:'s| is| must be)|"
    r"(?:my |the )?(?:(?:final|correct|right|best|most \w{1,20}) )?(?:answer|option|choice|letter)"
    r"(?: (?:is|would be|should be|must be))?)"
    r" ?[:=]? ?(?:(?:option|choice|letter) )?",
    re.IGNORECASE,
)
_FOLLOWS_LETTER = (
    r"(?= ?(?:$|[.,;:!?)\]/&+\"=]|- |-$|[A-Z](?!\w)|"
    r"(?:is|are|was|and|or|because|since|as|but|would|seems?|looks?|should|must|fits|matches|makes|for|due|given|not|isn't)\b))"
)
_BRACKETED = re.compile(rf"{_BEFORE}[(\[{{] ?([A-Za-z]) ?[)\]}}]")
_LABEL = re.compile(r"([A-Za-z]) ?(?:[).:\]]|(?<![iI]),|(?<![iI])(?= (?:because|since)\b))")
_WORDED = re.compile(
    r"\b(?:option|choice|letter|answer|ans)s?\.?(?: (?:is|would be|should be|must be))?(?: ?[:=])? ?"
    rf"[\"'(\[]?([A-Za-z]){_AFTER}{_FOLLOWS_LETTER}",
    re.IGNORECASE,
)
_BARE = re.compile(rf"{_BEFORE}(?:([B-HJ-Z])(?!\.[^\W\d_]){_AFTER}|(A){_AFTER}(?!\.[^\W\d_]){_FOLLOWS_LETTER})")
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|neither|nor|no|except|rather than|instead of|cannot)|n't) "
    r"(?:(?:a|an|the|be|option|choice|answer|it|is|really) ){0,3}[\"'(\[]?$"
)
_DENIED_AFTER = re.compile(
    r"[\"')\].]? ?(?:(?:is|are|was|looks|seems) (?:not|wrong|incorrect|false|ruled out)\b|(?:is|are|was)n't\b)"
)
_MASK = "\0"
_NOTHING = {"n/a", "n.a", "none", "unknown"}


@dataclass(frozen=True)
class _Choices:
    """Choices made ready for comparison; an index of -1 marks a text that two choices share."""

    exact: dict[str, int]
    plain: dict[str, int]
    bare: dict[str, int]
    count: int


def _letter_index(letter: str) -> int:
    """0 for A and a; what has no Latin capital (the Turkish dotted I matches [A-Z] without case) is beyond every choice."""
    return LETTERS.find(letter.upper()) % (len(LETTERS) + 1)


def _index_by(texts: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, text in enumerate(texts):
        found[text] = -1 if text in found else index
    found.pop("", None)
    return found


@lru_cache(maxsize=8192)
def _prepare(choices: tuple[str, ...]) -> _Choices:
    plains = [plain(choice) for choice in choices]
    return _Choices(
        exact=_index_by([choice.strip() for choice in choices]),
        plain=_index_by(plains),
        bare=_index_by([without_article(text) for text in plains]),
        count=len(choices),
    )


@lru_cache(maxsize=8192)
def _mentions_pattern(choices: tuple[str, ...]) -> re.Pattern | None:
    """Matches any choice's text on whole words, the longest first; groups are not used."""
    texts = sorted(_prepare(choices).bare, key=lambda text: (-len(text), text))
    parts = [rf"(?:(?:an?|the) )?{_edge(text[0], True)}{re.escape(text)}{_edge(text[-1], False)}" for text in texts]
    return re.compile("|".join(parts)) if parts else None


def _edge(character: str, leading: bool) -> str:
    """The look-around that keeps a choice's text from matching inside a longer word or number."""
    if not character.isalnum() or character >= "\u2e80":
        return ""
    if leading:
        return _BEFORE + (r"(?<!\d[.,/:])(?<!-)" if character.isdigit() else "")
    return _AFTER + (r"(?![.,/:]?\d)(?!%)" if character.isdigit() else "")


def _whole(text: str, prepared: _Choices) -> int | None:
    """The choice that ``text`` equals as a whole."""
    for key, table in ((text.strip(), prepared.exact), (plain(text), prepared.plain)):
        if table.get(key, -1) >= 0:
            return table[key]
    index = prepared.bare.get(without_article(plain(text)), -1)
    return index if index >= 0 else None


def _named_by_letter(text: str) -> list[tuple[int, int, int]]:
    """(index, start, end) of every letter in ``text`` that stands for a choice."""
    found = [(match[1], *match.span()) for pattern in (_BRACKETED, _WORDED) for match in pattern.finditer(text)]
    label = _LABEL.match(text)
    if label:
        found.append((label[1], *label.span()))
    found += [(match[1] or match[2], *match.span()) for match in _BARE.finditer(text)]
    return [(_letter_index(letter), start, end) for letter, start, end in found]


def _named_by_text(text: str, choices: tuple[str, ...]) -> tuple[list[tuple[int, int, int]], str]:
    """(index, start, end) of every choice's text in ``text``, and ``text`` with those spans masked."""
    pattern = _mentions_pattern(choices)
    lowered = (
        "".join(c if len(c.casefold()) != 1 else c.casefold() for c in text) if not text.isascii() else text.lower()
    )
    if pattern is None:
        return [], text
    table, found, pieces, position = _prepare(choices).bare, [], [], 0
    for match in pattern.finditer(lowered):
        start = match.start()
        index = table.get(match[0], table.get(without_article(match[0]), -1))
        if index < 0:
            index = len(choices)  # a text that two choices share names neither
        if text[start : start + 2] == "A " and start == 0 and not _starts_with_article(choices, index):
            start += 2
            found.append((0, 0, 1))  # "A red": the letter A, or an article? Right only where both are one choice
        found.append((index, start, match.end()))
        pieces += [text[position:start], _MASK * (match.end() - start)]
        position = match.end()
    return found, "".join(pieces) + text[position:]


def _starts_with_article(choices: tuple[str, ...], index: int) -> bool:
    return index < len(choices) and plain(choices[index]).startswith("a ")


def _denied(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 40) : start].lower(), text[end : end + 30].lower()
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after))


def _letter_and_rest(text: str, choices: tuple[str, ...], prepared: _Choices) -> int | str | None:
    """The verdict on "B", "(B)", "B. red", "B red"; None where ``text`` has no such form."""
    alone = _LONE_LETTER.fullmatch(text)
    if alone:
        index = _letter_index(alone[1])
        return index if index < prepared.count else NOT_A_CHOICE
    label = re.match(r"[(\[{]? ?([A-Za-z]) ?(?:[)\]}]|[.:]|- )? ?[:.-]? ?", text)
    if label is None or not text[label.end() :]:
        return None
    if label[0][-1].isalpha() or (label[0].strip().isalpha() and label[1] == "a"):
        return None  # the first letter of a word, or an article
    rest = _whole(text[label.end() :], prepared)
    if rest is None:
        return None
    return rest if rest == _letter_index(label[1]) else SEVERAL_ANSWERS


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
    prepared = _prepare(choices)
    if not answer.strip():
        return NO_ANSWER
    whole = prepared.exact.get(answer.strip(), -1)
    if whole >= 0:
        return whole
    text = unmarked(answer)
    lead = _LEAD.match(text)
    candidates = [text] if not lead or not lead[0] else [text, text[lead.end() :]]
    for candidate in candidates:
        lone = _LONE_LETTER.fullmatch(candidate) if candidate[:1] in "([{<" else None
        index = None if lone else _whole(candidate, prepared)
        verdict = _letter_and_rest(candidate, choices, prepared) if index is None else index
        if verdict is not None:
            return verdict
    return NOT_A_CHOICE if whole_only else _judge_mentions(text, choices)


def _judge_mentions(text: str, choices: tuple[str, ...]) -> int | str:
    if plain(text) in _NOTHING:
        return NOT_A_CHOICE
    by_text, masked = _named_by_text(text, choices)
    named = by_text + _named_by_letter(masked)
    indices = {index for index, _, _ in named}
    if len(indices) > 1:
        return SEVERAL_ANSWERS
    if not indices or min(indices) >= len(choices) or any(_denied(masked, start, end) for _, start, end in named):
        return NOT_A_CHOICE
    return indices.pop()


def answer_index(text: str, choices: Sequence[str]) -> int | None:
    """The index of the one choice that ``text`` answers with; None where it answers with none or with several.

    ``text`` may be a whole completion: the last ``<answer>`` counts (cut off: None); see
    :func:`.tags.final_answer` for texts without one.

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
    verdict = judge_answer(found[0], choices, whole_only=not found[1])
    return verdict if isinstance(verdict, int) else None
