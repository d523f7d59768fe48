"""How far a run is: a bar for each asset and role on a terminal, a line now and then for each shard elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lgt_assets.progress import Pace, listening, short_time
from lgt_assets.progress import Progress as Step

SECONDS_BETWEEN_LINES = 30.0
RowsRead = Callable[[int, int | None], None]


class Tally:
    """Adds up what shards report for one asset and role; a shard may ask the same role several times."""

    def __init__(self) -> None:
        self._finished = (0, 0)
        self._current: dict[str, Step] = {}

    def add(self, step: Step) -> tuple[int, int]:
        """Take one report; (done, total) so far."""
        last = self._current.get(step.shard)
        if last is not None and (last.finished or step.done < last.done):
            self._finished = (self._finished[0] + last.done, self._finished[1] + last.total)
        self._current[step.shard] = step
        done = sum(current.done for current in self._current.values())
        total = sum(current.total for current in self._current.values())
        return self._finished[0] + done, self._finished[1] + total


class Bars:
    """A listener that draws bars; pace and time left are those of the shard that is being made."""

    def __init__(self, progress: Progress, now: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._now = progress, now
        self._tallies: dict[tuple[str, str], tuple[TaskID, Tally]] = {}
        self._paces: dict[tuple[str, str, str], Pace] = {}

    def __call__(self, step: Step) -> None:
        """Move the bar of the step's asset and role."""
        key = (step.asset, step.role)
        if key not in self._tallies:
            task = self._progress.add_task(step.asset, role=step.role, shard=step.shard, pace="", total=step.total)
            self._tallies[key] = (task, Tally())
        task, tally = self._tallies[key]
        done, total = tally.add(step)
        pace = self._paces.setdefault((*key, step.shard), Pace(self._now))
        pace.add(step)
        self._progress.update(task, completed=done, total=total, shard=step.shard, pace=pace_words(pace))


class Lines:
    """A listener that writes a line when a shard's requests are answered, and every half minute until then."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._console, self._now = console, now
        self._last: Step | None = None
        self._paces: dict[tuple[str, str, str], Pace] = {}
        self._written_at = now()

    def __call__(self, step: Step) -> None:
        """Write, once per asking when all is done, and else if the last line is old enough."""
        pace = self._paces.setdefault((step.asset, step.role, step.shard), Pace(self._now))
        before = self._last
        if before is None or (before.asset, before.role, before.shard) != (step.asset, step.role, step.shard):
            self._written_at = self._now()
        pace.add(step)
        if step.finished and step.total and step != before:
            self._write(
                step, f"{step.done} requests, {step.sent} sent, {step.reused} reused", pace_words(pace, left=False)
            )
        elif not step.finished and self._now() - self._written_at >= SECONDS_BETWEEN_LINES:
            self._write(step, f"{step.done} of {step.total} {step.counted}", pace_words(pace))
        self._last = step

    def _write(self, step: Step, counts: str, pace: str) -> None:
        self._written_at = self._now()
        words = f"{counts}, {pace}" if pace else counts
        self._console.print(f"{step.asset} {step.shard}: {step.role} {words}", markup=False)


def pace_words(pace: Pace, *, left: bool = True) -> str:
    """``512 tokens/s, 3 min left``, as far as it is known."""
    parts = []
    if pace.tokens_per_second is not None:
        parts.append(f"{pace.tokens_per_second:,.0f} tokens/s")
    if left and pace.seconds_left:
        parts.append(f"{short_time(pace.seconds_left)} left")
    return ", ".join(parts)


@contextmanager
def showing_progress(console: Console) -> Iterator[None]:
    """Show the requests of everything that runs in the block on ``console``."""
    if not console.is_terminal:
        with listening(Lines(console)):
            yield
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("[dim]{task.fields[role]}"), BarColumn(),
        MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[pace]}"), TextColumn("[dim]{task.fields[shard]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress, listening(Bars(progress)):
        yield


@contextmanager
def rows_read(console: Console, name: str, now: Callable[[], float] = time.monotonic) -> Iterator[RowsRead]:
    """What says how many rows of a source were read: a bar on a terminal that goes away, a line every half minute elsewhere."""
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(name, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    last = now()

    def line(done: int, total: int | None) -> None:
        nonlocal last
        if now() - last >= SECONDS_BETWEEN_LINES:
            last = now()
            console.print(f"{name}: {done:,} rows read" + (f" of {total:,}" if total is not None else ""))

    yield line
