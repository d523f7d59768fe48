"""Markdown that Dagit and the hub render: tables, and text that a model wrote, which must stay text."""

import re
from collections.abc import Collection, Iterable, Sequence

_SPECIAL = frozenset("&<>\"'[](){}*_`~!\\#|")
_JOINER = "\N{WORD JOINER}"  # not seen, but no address goes on over it
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)


def plain_text(value: object, characters: int) -> str:
    """``value`` as one line of markdown that renders as itself: no link, picture, emphasis, HTML or new cell.

    Args:
        value: anything; written by a model, as likely as not.
        characters: how many of it are shown, at most; the rest is an ellipsis.
    """
    text = str(value)
    short = text if len(text) <= characters else text[: characters - 1] + "…"
    line = "".join(_shown(char) for char in short)
    joined = _ADDRESS.sub(_JOINER, line)  # the renderer makes links of bare addresses, however they are escaped
    return "".join(f"&#{ord(char)};" if char in _SPECIAL else char for char in joined)


def _shown(char: str) -> str:
    """Line breaks and tabs are blanks; controls, and marks that turn the direction of writing, are spelt out."""
    if char.isspace():
        return " "
    return char if char.isprintable() else f"U+{ord(char):04X}"


def table_of(names: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """A markdown table; cells are markdown already. Columns numbered in ``right`` are aligned so."""
    ruler = ["---:" if number in right else "---" for number in range(len(names))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ruler, *rows))


def image_of(address: str, words: str) -> str:
    """A picture by its ``data:`` address; ``words`` are ours."""
    return f"![{words}]({address})"
