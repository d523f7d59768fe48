"""Taking a written list of choices apart: lettered or numbered, one a line or inline, bulleted, or separated by marks."""

import re
from dataclasses import dataclass

from lgt_assets.synthesis.answers import LETTERS
from lgt_assets.synthesis.plain_text import half_width

_DECORATION = re.compile(r"\*\*|__|`|\\(?=[().\[\]])")
_BULLET = re.compile(r"^[ \t]*(?:[-*•·‣▪◦+>–—][ \t]+)?")
_LINE_MARKER = re.compile(r"[(\[]?([A-Za-z]|\d{1,2})[ \t]?(?:[)\].:]|[ \t]?-(?=[ \t]))[:.]?[ \t]*")
_BARE_LINE_MARKER = re.compile(r"([A-Z])[ \t]+(?=\S)")
_INLINE_MARKERS = (
    re.compile(r"(?<![^\s,;|/])[(\[]([A-Za-z]|\d{1,2})[)\]][:.]?\s*"),  # (A)
    re.compile(r"(?<![^\s,;|/])([A-Za-z]|\d{1,2})\)[:.]?\s*"),  # A)
    re.compile(r"(?<![^\s,;|/])([A-Za-z]|\d{1,2})[.:](?=\s|[^\W\d_])\s*"),  # A. and A:
)
_SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True)
class ChoiceList:
    """Choices without their markers; ``numbered`` where the markers were 1, 2, 3 rather than letters; ``start`` in the text."""

    choices: tuple[str, ...]
    numbered: bool = False
    start: int = 0


def _tidy(choice: str) -> str:
    return " ".join(choice.split()).strip(" ,;|/")


def _expected(position: int, first: str) -> str:
    """The marker that continues a list begun with ``first`` (a, A or 1)."""
    return str(position + 1) if first == "1" else LETTERS[position] if position < len(LETTERS) else ""


def _in_sequence(markers: list[re.Match]) -> list[re.Match]:
    """The markers of a list A, B, C … or 1, 2, 3 …: from the first A or 1 on, each next one that continues the list."""
    kept: list[re.Match] = []
    for marker in markers:
        if not kept and marker[1].upper() not in ("A", "1"):
            continue
        wanted = _expected(len(kept), kept[0][1]) if kept else marker[1].upper()
        if marker[1].upper() == wanted and (not kept or marker[1].isupper() == kept[0][1].isupper()):
            kept.append(marker)
    return kept


def find_marked(text: str) -> ChoiceList | None:
    """The lettered or numbered list in ``text`` (two or more), inline or one a line; None without one."""
    best: list[re.Match] = []
    for pattern in _INLINE_MARKERS:
        kept = _in_sequence(list(pattern.finditer(text)))
        if len(kept) > len(best):
            best = kept
    if len(best) < 2:
        return None
    ends = [marker.start() for marker in best[1:]] + [len(text)]
    choices = tuple(_tidy(text[marker.end() : end]) for marker, end in zip(best, ends, strict=True))
    return ChoiceList(choices, best[0][1] == "1", best[0].start())


def _by_line(lines: list[str]) -> ChoiceList | None:
    """A list whose every line carries the next marker; options may go on over lines without one."""
    for pattern in (_LINE_MARKER, _BARE_LINE_MARKER):
        matches = [pattern.match(line) for line in lines]
        if matches[0] is None:
            continue
        kept = _in_sequence([match for match in matches if match])
        if len(kept) < 2 or kept[0] is not matches[0] or (pattern is _BARE_LINE_MARKER and len(kept) != len(lines)):
            continue
        choices: list[str] = []
        for line, match in zip(lines, matches, strict=True):
            if match in kept:
                choices.append(line[match.end() :])
            else:
                choices[-1] += " " + line
        return ChoiceList(tuple(_tidy(choice) for choice in choices), kept[0][1] == "1")
    return None


def split_choices(text: str) -> ChoiceList:
    """The choices in ``text``, what stands between choices tags: any number, in the order written, without markers.

    Tried in this order: a marker on each line, markers inline, one choice a line (bulleted or bare), separators ``|``,
    ``;`` and ``,``.
    """
    text = _DECORATION.sub("", half_width(text))
    lines = [line for line in (_BULLET.sub("", line, count=1).strip() for line in text.splitlines()) if line]
    if not lines:
        return ChoiceList(())
    found = (_by_line(lines) if len(lines) > 1 else None) or find_marked("\n".join(lines))
    if found:
        return found
    if len(lines) > 1:
        return ChoiceList(tuple(_tidy(line) for line in lines))
    for separator in _SEPARATORS:
        if separator in lines[0]:
            return ChoiceList(tuple(choice for choice in map(_tidy, lines[0].split(separator)) if choice))
    return ChoiceList((_tidy(lines[0]),))
