"""Choices named within a sentence: by letter, by text, and whether they are denied."""

import re

from lgt_assets.synthesis.parsed import NOT_A_CHOICE, SEVERAL_ANSWERS
from lgt_assets.synthesis.plain_text import digits_for_words, plain
from lgt_assets.synthesis.prepared_choices import AFTER, BEFORE, needles, prepare

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FOLLOWS_LETTER = (
    r"(?= ?(?:$|[.,;:!?)\]/&+\"'=|<>#→⇒]|[^\x00-\u024f]|\[/|- |-$|[A-Z](?!\w)|\((?:and|or)\b|"
    r"(?:is|are|was|and|or|vs|versus|because|since|as|but|would|seems?|looks?|should|must|fits|matches|makes|for|due|given|not|isn't|"
    r"option|choice|answer|only|alone)\b))"
)
_BRACKETED = re.compile(rf"{BEFORE}[(\[{{] ?([A-Za-z]) ?[)\]}}]")
_LABEL = re.compile(r"([A-Za-z]) ?(?:[).:\]]|(?<![iI]),|(?<![iI])(?= (?:because|since)\b)|(?<![a-zI])(?= ?[(\[]))")
_WORDED = re.compile(
    r"\b(?:option|choice|letter|answer|ans)(?:s\b)?\.?(?: (?:is|would be|should be|must be))?(?: ?[:=])? ?"
    rf"[\"'(\[]?(?<!\w)([A-Za-z]){AFTER}{_FOLLOWS_LETTER}",
    re.IGNORECASE,
)
_BARE = re.compile(rf"{BEFORE}(?:([B-HJ-Z])(?!\.[^\W\d_]){AFTER}|(A){AFTER}(?!\.[^\W\d_]){_FOLLOWS_LETTER})")
# "I" is a letter where nobody can be speaking: before an end, or a verb that does not go with "I".
_BARE_I = re.compile(
    rf"{BEFORE}I{AFTER}(?= ?(?:$|[.;:!?)\]/&\"<#]|[^\x00-\u024f]|\[/"
    r"|(?:is|fits|matches|seems|looks|makes|option|choice|answer|only|alone)\b))"
)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|neither|nor|no|never|except(?: for)?|other than|rather than|instead of|cannot|(?:any|every)thing but|all but|"
    r"rul(?:e|es|ed|ing) out|eliminat(?:e|es|ed|ing)|exclud(?:e|es|ed|ing)|discard(?:s|ed|ing)?)|n't) "
    r"(?:(?:a|an|the|be|option|choice|answer|it|is|really) ){0,3}[\"'(\[]?$"
)
_DENIED_AFTER = re.compile(
    r"[\"')\].]? ?(?:(?:is|are|was|looks|seems) (?:not|wrong|incorrect|false|ruled out)\b|(?:is|are|was)n't\b)"
)
_ARTICLE_BEFORE = re.compile(rf"{BEFORE}(?:an?|the) \Z", re.IGNORECASE)
_MASK = "\0"
_NOTHING = {"n/a", "n.a", "none", "unknown"}
_Mention = tuple[int, int, int]  # index of the choice, start, end


def letter_index(letter: str) -> int:
    """0 for A and a; what has no Latin capital (the Turkish dotted I matches [A-Z] without case) is beyond every choice."""
    return LETTERS.find(letter.upper()) % (len(LETTERS) + 1)


def _named_by_letter(text: str, count: int) -> list[_Mention]:
    """Every letter in ``text`` that stands for one of ``count`` choices or more."""
    found = [(match[1], *match.span()) for pattern in (_BRACKETED, _WORDED) for match in pattern.finditer(text)]
    label = _LABEL.match(text)
    if label:
        found.append((label[1], *label.span()))
    found += [(match[1] or match[2], *match.span()) for match in _BARE.finditer(text)]
    if count > LETTERS.index("I"):
        found += [("I", *match.span()) for match in _BARE_I.finditer(text)]
    return [(letter_index(letter), start, end) for letter, start, end in found]


def _caseless(text: str) -> str:
    """``text`` in lower case, character by character, so that positions stay."""
    if text.isascii():
        return text.lower()
    return "".join(c.casefold() if len(c.casefold()) == 1 else c for c in text)


def _spans(text: str, choices: tuple[str, ...]) -> list[tuple[int, int, int]]:
    """(start, end, index) of the choices' texts in ``text``: from the left, the longest where several begin, none in another."""
    found = []
    for needle in needles(choices):
        start = text.find(needle.text)
        while start >= 0:
            end = start + len(needle.text)
            if (needle.left is None or needle.left.match(text, start)) and (
                needle.right is None or needle.right.match(text, end)
            ):
                found.append((start, end, needle.index))
            start = text.find(needle.text, start + 1)
    kept, position = [], 0
    for span in sorted(found, key=lambda span: (span[0], -span[1])):
        if span[0] >= position:
            kept.append(span)
            position = span[1]
    return kept


def _named_by_text(text: str, choices: tuple[str, ...]) -> tuple[list[_Mention], str]:
    """Every choice's text in ``text``, and ``text`` with those spans masked."""
    found, pieces, position = [], [], 0
    for start, end, index in _spans(_caseless(text), choices):
        if index < 0:
            index = len(choices)  # a text that two choices share names neither
        article = _ARTICLE_BEFORE.search(text, max(position, start - 4), start)
        start = article.start() if article else start
        if start == 0 and text[:2] == "A " and not _starts_with_article(choices, index):
            start = 2
            found.append((0, 0, 1))  # "A red": the letter A, or an article? Right only where both are one choice
        found.append((index, start, end))
        pieces += [text[position:start], _MASK * (end - start)]
        position = end
    return found, "".join(pieces) + text[position:]


def _starts_with_article(choices: tuple[str, ...], index: int) -> bool:
    return index < len(choices) and prepare(choices).plains[index].startswith("a ")


def _denied(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 40) : start].lower(), text[end : end + 30].lower()
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after))


def judge_mentions(text: str, choices: tuple[str, ...]) -> int | str:
    """The one choice that the sentence ``text`` (unmarked) names, or ``answer_not_a_choice`` or ``several_answers``."""
    if plain(text) in _NOTHING:
        return NOT_A_CHOICE
    text = digits_for_words(text) if prepare(choices).numeric else text
    by_text, masked = _named_by_text(text, choices)
    named = by_text + _named_by_letter(masked, len(choices))
    indices = {index for index, _, _ in named}
    if len(indices) > 1:
        return SEVERAL_ANSWERS
    if not indices or min(indices) >= len(choices) or any(_denied(masked, start, end) for _, start, end in named):
        return NOT_A_CHOICE
    return indices.pop()
