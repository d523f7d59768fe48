"""Taking a written list of choices apart: lettered or numbered, one a line or inline, bulleted, or separated by marks."""

import json
import re
from dataclasses import dataclass

from lgt_assets.synthesis.mentions import LETTERS
from lgt_assets.synthesis.plain_text import half_width

ROMAN = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV".split()
_MARKER = r"([A-Za-z]|\d{1,2}|[ivxIVX]{2,4})"
_DECORATION = re.compile(r"\*\*|__|`|\\(?=[().\[\]])")
_BULLET = re.compile(r"^[ \t]*(?:[-*•·‣▪◦●○+>–—][ \t]+|-(?=[^\W\d]))?")
_LINE_MARKER = re.compile(
    rf"(?:[(\[]{_MARKER}[ \t]?[)\]]|{_MARKER}[ \t]?(?:[)\].:、]|[ \t]?[-–—](?=[ \t])))[:.]?[ \t]*"
)
_BARE_LINE_MARKER = re.compile(r"([A-Z])[ \t]+(?=\S)")
_INLINE_MARKERS = (
    re.compile(rf"(?<![^\s,;|/])[(\[]{_MARKER}[)\]][:.]?\s*"),  # (A)
    re.compile(rf"(?<![^\s,;|/]){_MARKER}\)[:.]?\s*"),  # A)
    re.compile(rf"(?<![^\s,;|/]){_MARKER}[.:](?=\s|[^\W\d_])\s*"),  # A. and A:
    re.compile(r"\(([A-Z])\)\s*"),  # (A)Red(B)Blue
)
_FIRST_MARKER = re.compile(r"[Aa1iI][)\].:]")
TABLE_ROW = re.compile(r"\|[ \t]*[(\[]?([A-Za-z])[)\].]?[ \t]*\|[ \t]*(.{1,300}?)[ \t]*\|?[ \t]*\Z")
_LABEL = re.compile(r"(?:answer )?(?:choices|options)[ \t]?[:：][ \t]*", re.IGNORECASE)
_SEPARATORS = ("|", ";", "•", " / ", ",")
_CONJUNCTION_BEFORE, _CONJUNCTION_AFTER = (
    re.compile(r"(?:or|and) (?=\S)"),
    re.compile(r"(?:[,;]|(?<=\S)\s)\s{0,3}(?:or|and)\Z"),
)
_OPTION_WORD = re.compile(
    r"(?<![^\s,;|/])(?:option|choice)[ \t]+(?=[(\[]?(?:[A-J]|\d{1,2})[)\]]?[ \t]?[).:\]-])", re.IGNORECASE
)
_PAIR = re.compile(
    r"""["']([A-Ja-j]|\d{1,2})["']\s{0,3}:\s{0,3}(?:"([^"\n]{0,300})"|'((?:[^'\n]|(?<=\w)'(?=\w)){0,300})')"""
)
_CHECKED, _UNCHECKED = re.compile(r"\[[xX✓✔]\][ \t]*"), re.compile(r"\[[ \t]?\][ \t]*")
_RIGHT = re.compile(
    r"[ \t]*(?:[(\[](?:correct|right|true)(?: answer)?[)\]]|[✓✔✅☑]\ufe0f?|(?:<-|←)-{0,3}[ \t]?correct)\Z",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""(?<=[\[,\s])(?:"([^"\n]{0,300})"|'((?:[^'\n]|(?<=\w)'(?=\w)){0,300})')(?=\s*[,\]])""")
LETTERED, NUMBERED, IN_ROMAN = "lettered", "numbered", "in_roman"


@dataclass(frozen=True)
class ChoiceList:
    """Choices without their markers; ``style`` says by what they were marked; ``start`` is where the list begins in the text."""

    choices: tuple[str, ...]
    style: str = LETTERED
    start: int = 0


def _tidy(choice: str) -> str:
    return " ".join(choice.split()).strip(" ,;|/")


def _name(marker: re.Match) -> str:
    return next(group for group in marker.groups() if group)


def _series(first: str) -> tuple[str, list[str]]:
    """The style and the markers of a list that begins with ``first``; no markers where it begins none."""
    if first == "1":
        return NUMBERED, [str(number) for number in range(1, 27)]
    if first in ("a", "A"):
        return LETTERED, [letter if first == "A" else letter.lower() for letter in LETTERS]
    if first in ("i", "I"):
        return IN_ROMAN, [number if first == "I" else number.lower() for number in ROMAN]
    return LETTERED, []


def _in_sequence(markers: list[re.Match]) -> tuple[list[re.Match], str]:
    """The longest list A, B, C …, 1, 2, 3 … or i, ii, iii … among ``markers``, and its style."""
    best: tuple[list[re.Match], str] = ([], LETTERED)
    names = [_name(marker) for marker in markers]
    for first in ("A", "a", "1", "i", "I"):
        if first not in names:
            continue
        style, series = _series(first)
        kept: list[re.Match] = []
        for name, marker in zip(names, markers, strict=True):
            if len(kept) < len(series) and name == series[len(kept)]:
                kept.append(marker)
        best = (kept, style) if len(kept) > len(best[0]) else best
    return best


def find_marked(text: str) -> ChoiceList | None:
    """The lettered or numbered list in ``text`` (two or more), inline or one a line; None without one."""
    if not _FIRST_MARKER.search(text):
        return None
    best, style = [], LETTERED
    for pattern in _INLINE_MARKERS:
        kept, found = _in_sequence(list(pattern.finditer(text)))
        if len(kept) > len(best):
            best, style = kept, found
    if len(best) < 2:
        return None
    ends = [marker.start() for marker in best[1:]] + [len(text)]
    pieces = [text[marker.end() : end].strip() for marker, end in zip(best, ends, strict=True)]
    pieces[-2] = _CONJUNCTION_AFTER.sub("", pieces[-2])
    return ChoiceList(_without_closing_stop(tuple(map(_tidy, pieces))), style, best[0].start())


def _without_closing_stop(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Choices of a sentence ("A. Red, B. Blue, C. Green."): the full stop that only the last one has ends the sentence."""
    *others, last = choices
    if last.endswith(".") and "." not in last[:-1] and not any(other.endswith(".") for other in others):
        return (*others, last[:-1])
    return choices


def _by_line(lines: list[str]) -> ChoiceList | None:
    """A list whose every line carries the next marker; options may go on over lines without one."""
    for pattern in (_LINE_MARKER, _BARE_LINE_MARKER):
        matches = [pattern.match(line) for line in lines]
        if matches[0] is None:
            continue
        kept, style = _in_sequence([match for match in matches if match])
        if len(kept) < 2 or kept[0] is not matches[0] or (pattern is _BARE_LINE_MARKER and len(kept) != len(lines)):
            continue
        choices: list[str] = []
        kept_ids = set(map(id, kept))
        for line, match in zip(lines, matches, strict=True):
            if match and id(match) in kept_ids:
                choices.append(line[match.end() :])
            else:
                choices[-1] += " " + line
        return ChoiceList(tuple(_tidy(choice) for choice in choices), style)
    return None


def _of_array(text: str) -> ChoiceList | None:
    """``["Red", "Blue"]`` or ``{"A": "Red", "B": "Blue"}``, with any quotes; None for a text of another form."""
    if text.startswith("{") and text.endswith("}"):
        pairs = [f"{match[1]}. {match[2] or match[3] or ''}" for match in _PAIR.finditer(text)]
        return choices_of_items(pairs) if pairs else None
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = [match[1] or match[2] or "" for match in _QUOTED.finditer(text)]
    return choices_of_items(items) if items and all(isinstance(item, str) for item in items) else None


def choices_of_items(items: list[str]) -> ChoiceList:
    """A list whose items are known, without the markers that all of them may carry."""
    lines = [" ".join(half_width(_DECORATION.sub("", item)).split()) for item in items]
    listed = _by_line(lines) if len(lines) > 1 else None
    if listed and len(listed.choices) == len(lines):
        return listed
    return ChoiceList(tuple(_tidy(line) for line in lines))


def split_choices(text: str) -> ChoiceList:
    """The choices in ``text``, what stands between choices tags: any number, in the order written, without markers.

    Tried in this order: an array, a marker on each line, markers inline, one choice a line (bulleted or bare), separators
    ``|``, ``;``, ``•``, ``/`` and ``,``.
    """
    text = _DECORATION.sub("", half_width(text)).strip()
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    text = _OPTION_WORD.sub("", text)
    array = _of_array(text)
    if array:
        return array
    lines = [TABLE_ROW.sub(r"\1. \2", line.strip()) for line in text.splitlines()]
    lines = [line for line in (_BULLET.sub("", line, count=1).strip() for line in lines) if line]
    if not lines:
        return ChoiceList(())
    found = (_by_line(lines) if len(lines) > 1 else None) or find_marked("\n".join(lines))
    if found:
        return found
    if len(lines) > 1:
        return ChoiceList(tuple(_tidy(line) for line in lines))
    line = lines[0][1:-1] if lines[0].startswith("[") and lines[0].endswith("]") else lines[0]
    for separator in _SEPARATORS:
        if separator in line:
            choices = [choice for choice in map(_tidy, line.split(separator)) if choice] or [""]
            choices[-1] = _CONJUNCTION_BEFORE.sub("", choices[-1], count=1)
            return ChoiceList(_without_closing_stop(tuple(choices)))
    return ChoiceList((_tidy(line),))


def without_marks(listed: ChoiceList) -> tuple[ChoiceList, int | None]:
    """``listed`` without check marks ("Blue ✓", "[x] Blue", "Blue (correct)"), and the index of the one that bears one."""
    bare, right = [], []
    for index, choice in enumerate(listed.choices):
        checked, marked = _CHECKED.match(choice), _RIGHT.search(choice)
        unchecked = checked or _UNCHECKED.match(choice)
        right += [index] if checked or marked else []
        bare.append(choice[unchecked.end() if unchecked else 0 : marked.start() if marked else None])
    if len(right) != 1:
        return listed, None
    return ChoiceList(tuple(bare), listed.style, listed.start), right[0]
