"""Splitting a thought into sentences."""

import re

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def sentences_of(text: str) -> list[str]:
    """Sentences of ``text``, without blanks; a full stop within a word or number ends none."""
    return [sentence for sentence in (part.strip() for part in _SENTENCE_END.split(text)) if sentence]
