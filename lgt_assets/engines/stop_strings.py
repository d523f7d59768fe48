"""Where a completion ends: at the first stop string, found as soon as the token that completes it is written."""

from collections.abc import Callable, Sequence

_UNFINISHED = "\ufffd"


def cut_at_stop(text: str, stop: Sequence[str], include_stop: bool) -> str | None:
    """``text`` up to the stop string that is completed first, with it where ``include_stop``; None where there is none."""
    ends = [(start + len(word), -len(word), word) for word in stop if word and (start := text.find(word)) >= 0]
    if not ends:
        return None
    end, _length, word = min(ends)
    return text[:end] if include_stop else text[: end - len(word)]


class StopScanner:
    """Tells cheaply which tokens could complete a stop string, so that few of a text's tokens cost a decoding.

    Args:
        decode: token ids to text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._pieces: dict[int, str] = {}

    def may_complete(self, token: int, stop: Sequence[str]) -> bool:
        """Whether ``token`` holds the last character of a stop string (or part of a character, which one cannot know)."""
        if not stop:
            return False
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._decode([token])
        return _UNFINISHED in piece or any(word and word[-1] in piece for word in stop)
