"""Who wants to know how far the work is: the command line's bars listen here, Dagit is told by observations."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` requests of one role for one asset and shard, or of what ``counted`` says.

    ``total`` counts those planned so far, of which ``sent`` went to the model and ``reused`` were stored; ``tokens`` are those
    that the model has written. Planning runs some thousands of requests ahead of the answers: ``total`` is sure not to grow
    any more only once the asking is ``finished``.
    """

    asset: str
    shard: str
    role: str
    done: int
    total: int
    sent: int
    reused: int
    finished: bool = False
    tokens: int = 0
    counted: str = "requests planned so far"


class Pace:
    """How fast an asking goes, from its reports: only what the model does counts, as stored answers take no time."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._started: float | None = None
        self._step: Progress | None = None
        self._elapsed = 0.0

    def add(self, step: Progress) -> None:
        """Take one report; the first starts the clock, one of a new asking starts it again."""
        before = self._step
        if before is None or before.finished or step.done < before.done:
            self._started = self._now()
        self._step, self._elapsed = step, self._now() - (self._started or 0.0)

    @property
    def elapsed(self) -> float:
        """Seconds between the first and the last report of the asking."""
        return self._elapsed

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens a second since the first report; None before there are any."""
        if self._step is None or not self._step.tokens or self._elapsed <= 0:
            return None
        return self._step.tokens / self._elapsed

    @property
    def seconds_left(self) -> float | None:
        """For the requests planned so far, if no further answer is stored; None before the model has answered any."""
        if self._step is None or self._elapsed <= 0:
            return None
        answered = self._step.done - self._step.reused
        left = self._step.total - self._step.done
        if left <= 0:
            return 0.0
        return left * self._elapsed / answered if answered > 0 else None


def short_time(seconds: float) -> str:
    """Seconds as people say them: ``8 s``, ``3 min``, ``2 h 5 min``."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


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
