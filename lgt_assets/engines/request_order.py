"""The order in which requests go to a model: those that share a picture or the start of a prompt are neighbours."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from lgt_assets.engines.base import Request


def neighbours_first(requests: Iterable[Request], window: int) -> Iterator[Request]:
    """``requests`` window by window, each window ordered by :func:`neighbours`; at most ``window`` are held at a time.

    Args:
        window: requests looked at together; the next window is pulled when the last one is used up.
    """
    pending = iter(requests)
    while held := list(islice(pending, window)):
        yield from neighbours(held)


def neighbours(requests: Sequence[Request]) -> list[Request]:
    """Requests that share the start of their prompts side by side, groups in the order in which they first appear.

    Nested: all that share the pictures, of those all that share the text after them, then the prefix. Equal prompts keep
    their order, and what shares nothing stays where it was.
    """
    first: dict[tuple[object, ...], int] = {}
    ranks = []
    for place, request in enumerate(requests):
        parts = _parts(request)
        ranks.append([first.setdefault(parts[:end], place) for end in range(1, len(parts) + 1)])
    return [requests[place] for place in sorted(range(len(requests)), key=ranks.__getitem__)]


def _parts(request: Request) -> tuple[object, ...]:
    """What stands in the prompt, from its start: of each message the pictures, then the text; at last the prefix."""
    parts: list[object] = []
    for message in request.messages:
        parts += [(message.role, tuple(image.sha256 for image in message.images)), message.text]
    return (*parts, request.prefix)
