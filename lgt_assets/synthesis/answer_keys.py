"""The key at the end of a list of questions: "Answers: 1. B 2. C"."""

import re

_HEADING = re.compile(
    r"^[ \t>#*_-]{0,8}(?:correct )?(?:answers|answer[ \t]key|solutions|key)[ \t*_]{0,6}(?:[:：]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_ENTRY = re.compile(
    r"(?<![^\s,;|(*])(?:q|question[ \t])?(\d{1,3})[ \t]?(?:[.):=|]|[-–—])[ \t*_]{0,4}(?=[^\s\d])", re.IGNORECASE
)
_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\].]?")


def split_answer_key(text: str) -> tuple[str, str]:
    """``text`` before the last heading of a key, and what stands under it; blank where there is none."""
    heading = None
    for match in _HEADING.finditer(text):
        heading = match
    if heading is None:
        return text, ""
    return text[: heading.start()], text[heading.end() :]


def answers_of_key(key: str, count: int) -> dict[int, str] | None:
    """The answers of ``key`` by the position of their question, of ``count``; None where it is no such key.

    Entries are numbered from any number on without a gap, or are as many letters as there are questions.
    """
    entries = list(_ENTRY.finditer(key))
    if entries:
        numbers = [int(entry[1]) for entry in entries]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or len(numbers) > count:
            return None
        ends = [entry.start() for entry in entries[1:]] + [len(key)]
        texts = [key[entry.end() : end] for entry, end in zip(entries, ends, strict=True)]
        return {position: _first_line(text).strip(" \t,;*|") for position, text in enumerate(texts)}
    letters = [_LETTER.fullmatch(token) for token in re.split(r"[\s,;|*]+", key) if token]
    if count > 1 and len(letters) == count and all(letters):
        return {position: letter[1] for position, letter in enumerate(letters)}
    return None


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
