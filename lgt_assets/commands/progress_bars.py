"""How far a run is: a bar for each asset and role on a terminal, a line for each finished shard elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lgt_assets.progress import Progress as Step
from lgt_assets.progress import listening


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
    """A listener that draws bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tallies: dict[tuple[str, str], tuple[TaskID, Tally]] = {}

    def __call__(self, step: Step) -> None:
        """Move the bar of the step's asset and role."""
        key = (step.asset, step.role)
        if key not in self._tallies:
            task = self._progress.add_task(step.asset, role=step.role, shard=step.shard, total=step.total)
            self._tallies[key] = (task, Tally())
        task, tally = self._tallies[key]
        done, total = tally.add(step)
        self._progress.update(task, completed=done, total=total, shard=step.shard)


class Lines:
    """A listener that writes a line when a shard's requests are answered."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Step | None = None

    def __call__(self, step: Step) -> None:
        """Write, once per asking, when all is done."""
        if step.finished and step.total and step != self._last:
            counts = f"{step.done} requests, {step.sent} sent, {step.reused} reused"
            self._console.print(f"{step.asset} {step.shard}: {step.role} {counts}", markup=False)
        self._last = step


@contextmanager
def showing_progress(console: Console) -> Iterator[None]:
    """Show the requests of everything that runs in the block on ``console``."""
    if not console.is_terminal:
        with listening(Lines(console)):
            yield
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("[dim]{task.fields[role]}"), BarColumn(),
        MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("[dim]{task.fields[shard]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress, listening(Bars(progress)):
        yield
