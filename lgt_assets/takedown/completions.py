"""Which stored completions speak of a picture: those that were shown it, that its rows name, or that quote its rows.

A completion that only a text was asked for names no picture. Its prompt, however, quotes a caption, a question or a thought.
What quotes nothing of any picture that is known, such as a vote on a question that was refused long ago, goes as well: it might
speak of the one that has to go, and is asked for again where it is needed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.takedown.texts import holds_any, in_json

# A prompt that quotes a text quotes its beginning; a shard has some hundred thousand texts.
HEAD = 80
COLUMNS = ("request_key", "asset", "prompt", "prefix", "text")


@dataclass(frozen=True)
class Evidence:
    """What is known of some pictures: keys that their rows name, their contents, captions, and other texts of their rows."""

    keys: Collection[str] = field(default_factory=frozenset)
    sha256s: Sequence[str] = ()
    captions: Sequence[str] = ()
    texts: Sequence[str] = ()


def keys_to_remove(completions: pl.DataFrame, own: Evidence, others: Evidence) -> set[str]:
    """Keys of the completions that have to go.

    One that others' rows name stays, unless it was shown the picture: two pictures may have the same question, and what is asked
    without a picture is asked once for both.

    Args:
        completions: :data:`COLUMNS`; any order, keys may repeat.
        own: of the pictures that have to go.
        others: of all other pictures of the shard.
    """
    named, claimed = pl.col("request_key").is_in(sorted(own.keys)), pl.col("request_key").is_in(sorted(others.keys))
    shown = _quotes(own.sha256s)
    anothers = _quotes(others.sha256s) | _quotes([one for one in others.captions if one not in set(own.captions)])
    quotes_own = _quotes(own.captions) | _quotes(own.texts, HEAD)
    of_nobody = ~(anothers | claimed | _quotes(others.texts, HEAD))
    goes = shown | (~claimed & (named | (~anothers & (quotes_own | of_nobody))))
    return set(completions.filter(goes)["request_key"])


def _quotes(texts: Sequence[str], characters: int | None = None) -> pl.Expr:
    quoted = sorted({text[:characters] for text in texts})
    return holds_any("prompt", [in_json(text) for text in quoted]) | holds_any("prefix", quoted)
