"""Searching for what rows say in texts of all kinds, and taking it out of them."""

import json
import re
from collections.abc import Iterable, Sequence

import polars as pl

# Shorter ones, such as "Which?" or a label, are said of many pictures.
LEAST_CHARACTERS = 16
GONE = "(taken down)"
_BOUNDARIES = re.compile(r'[\n<>"]+')
_quoted = json.encoder.encode_basestring
_quoted_ascii = json.encoder.encode_basestring_ascii


def telling(texts: Iterable[str | None]) -> list[str]:
    """Of some texts those that are long enough to tell whose they are, each once, the longest first."""
    return sorted(
        {text for text in texts if text and len(text) >= LEAST_CHARACTERS}, key=lambda text: (-len(text), text)
    )


def pieces(raw: Iterable[str]) -> list[str]:
    """What stands between tags, quotes and line ends of raw texts, such as the question of one that was refused."""
    return telling(piece.strip() for text in raw for piece in _BOUNDARIES.split(text))


def in_json(text: str) -> str:
    """The text as it stands in the column ``prompt``."""
    return _quoted(text)[1:-1]


def spellings(texts: Iterable[str]) -> list[str]:
    """The texts as they stand in plain text and inside JSON, once or twice encoded; the longest first."""
    found: set[str] = set()
    for text in texts:
        once = {_quoted(text)[1:-1], _quoted_ascii(text)[1:-1]}
        found |= {text} | once | {_quoted(one)[1:-1] for one in once} | {_quoted_ascii(one)[1:-1] for one in once}
    return sorted(found, key=lambda text: (-len(text), text))


def holds_any(column: str, texts: Sequence[str]) -> pl.Expr:
    """Whether a column of text contains one of ``texts``."""
    return pl.col(column).str.contains_any(list(texts)).fill_null(False) if texts else pl.lit(False)


def without(column: str, texts: Sequence[str]) -> pl.Expr:
    """The column with :data:`GONE` in place of every one of ``texts``, of several at one place the longest."""
    if not texts:
        return pl.col(column)
    longest_first = sorted(texts, key=lambda text: (-len(text), text))  # of several at one place the first counts
    return pl.col(column).str.replace_many(longest_first, [GONE] * len(texts), leftmost=True)
