"""Who wants to know how far the work is: the command line's bars listen here, Dagit is told by observations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` requests of one role for one asset and shard.

    ``total`` counts those planned so far, of which ``sent`` went to the model and ``reused`` were stored; it no longer
    grows once the asking is ``finished``.
    """

    asset: str
    shard: str
    role: str
    done: int
    total: int
    sent: int
    reused: int
    finished: bool = False


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call ``listener`` with every report made in this process while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report(progress: Progress) -> None:
    """Tell all listeners."""
    for listener in list(_listeners):
        listener(progress)
