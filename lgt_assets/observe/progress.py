"""How far a run is, told to Dagit while it runs: observations of the shard being made, seldom enough to cost nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from lgt_assets.progress import Pace, Progress, listening, short_time

SECONDS_BETWEEN = 30.0


class Observer:
    """A listener that logs an observation of a shard's asset, at most one every 30 seconds.

    The first comes after 30 seconds of the same shard, so that a short one leaves none. Observations carry no data version:
    these would be looked through at every tick of the daemon.

    Args:
        log: what records an event in the run.
        now: seconds that only grow.
    """

    def __init__(self, log: Callable[[dg.AssetObservation], None], now: Callable[[], float] = time.monotonic) -> None:
        self._log, self._now = log, now
        self._shard: tuple[str, str] | None = None
        self._paces: dict[str, Pace] = {}
        self._told_at = 0.0

    def __call__(self, step: Progress) -> None:
        """Take a report of how far the shard is."""
        if (step.asset, step.shard) != self._shard:
            self._shard, self._paces, self._told_at = (step.asset, step.shard), {}, self._now()
        pace = self._paces.setdefault(step.role, Pace(self._now))
        pace.add(step)
        if self._now() - self._told_at >= SECONDS_BETWEEN:
            self._told_at = self._now()
            self._log(observation(step, pace))


def observation(step: Progress, pace: Pace) -> dg.AssetObservation:
    """What is told: done and total requests of the role, tokens a second and the time left as far as they are known."""
    left = pace.seconds_left
    words = f"{step.role}: {step.done:,} of {step.total:,} {step.counted}"
    words += f", about {short_time(left)} left for these" if left else ""
    numbers = {"progress/done": step.done, "progress/total": step.total, "progress/reused": step.reused}
    rates = {"progress/tokens_per_second": pace.tokens_per_second, "progress/seconds_left": left}
    return dg.AssetObservation(
        asset_key=step.asset, partition=step.shard, description=words,
        metadata={"progress": words} | numbers | {name: round(rate, 1) for name, rate in rates.items() if rate is not None},
    )  # fmt: skip


@contextmanager
def observed_progress(log: Callable[[dg.AssetObservation], None]) -> Iterator[None]:
    """Let ``log`` record how far the shards are that are made in the block, in this process."""
    with listening(Observer(log)):
        yield
