"""How a card writes numbers and texts; what models and sources wrote is escaped."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from lgt_assets.markdown import plain_text, table_of

TEXT_CHARACTERS = 200


def text(value: object, characters: int = TEXT_CHARACTERS) -> str:
    """Text that somebody else wrote, as it is, on one line."""
    return plain_text(value, characters)


def code(value: str) -> str:
    """An identifier of ours, such as a table's name."""
    return f"`{value}`"


def setting(value: object) -> str:
    """A setting's value as YAML users would write it."""
    return plain_text(json.dumps(value, ensure_ascii=False), TEXT_CHARACTERS)


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def counted_by(row: Mapping, maker: str, what: str) -> str:
    """Who made so many captions or boxes, and how many of these were generated.

    Args:
        row: of ``captions`` or ``boxes`` of :func:`lgt_assets.release.picture_sources.source_facts`.
        maker, what: its columns with the maker's name, and with the number.
    """
    generated = row.get("generated", 0)  # releases made before anything could be generated do not say
    number = "" if generated == row[what] else f"{count(generated)} "
    return f"{text(row[maker])} {count(row[what])}{f' ({number}generated)' if generated else ''}"


def percent(share: float | None) -> str:
    """A share; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def interval(share: float | None, low: float, high: float) -> str:
    """A share with its interval."""
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def table(names: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """A table, or a sentence where it would be empty."""
    cells = list(rows)
    return table_of(names, cells, right=right) if cells else "None."


def folded(title: str, content: str) -> str:
    """What only few read; it is opened with a click."""
    return f"<details>\n<summary>{title}</summary>\n\n{content}\n\n</details>"


def fenced(content: str) -> str:
    """Text as it is, line by line, in a fence that it cannot close; controls are spelt out."""
    lines = content.replace("\r\n", "\n").split("\n")
    shown = "\n".join("".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in line) for line in lines)
    fence = "```"
    while fence in shown:
        fence += "`"
    return f"{fence}text\n{shown}\n{fence}"
