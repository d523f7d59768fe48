"""Progress as a user sees it."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress as RichProgress

from lgt_assets.commands.progress_bars import Bars, Lines, Tally, rows_read, showing_progress
from lgt_assets.progress import Progress, report


def step(done: int, total: int, *, shard: str = "made-00000", reused: int = 0, finished: bool = False) -> Progress:
    return Progress("distilled_cots", shard, "vlm", done, total, done - reused, reused, finished)


def test_shards_add_up() -> None:
    tally = Tally()
    tally.add(step(2, 4))
    tally.add(step(4, 4))
    assert tally.add(step(1, 3, shard="made-00001")) == (5, 7)


def test_a_second_asking_of_a_shard_adds_to_the_first() -> None:
    tally = Tally()
    tally.add(step(4, 4, finished=True))
    assert tally.add(step(1, 4)) == (5, 8)
    assert tally.add(step(2, 6)) == (6, 10)  # more are planned as answers come


def test_an_asking_that_died_is_told_from_the_next() -> None:
    tally = Tally()
    tally.add(step(4, 6))
    assert tally.add(step(1, 6)) == (5, 12)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_all_done_is_all_done(totals: list[int]) -> None:
    tally = Tally()
    for number, total in enumerate(totals):
        for done in range(1, total + 1):
            result = tally.add(step(done, total, shard=f"made-{number:05d}"))
    assert result == (sum(totals), sum(totals))


def test_without_a_terminal_one_line_per_shard_and_role() -> None:
    stream = io.StringIO()
    with showing_progress(Console(file=stream, width=120)):
        for done in (1, 2):
            report(step(done, done))
        for _twice in range(2):
            report(step(2, 2, finished=True))
        report(step(0, 0, finished=True))
        report(step(3, 3, shard="made-00001", reused=3, finished=True))
    assert stream.getvalue().splitlines() == [
        "distilled_cots made-00000: vlm 2 requests, 2 sent, 0 reused",
        "distilled_cots made-00001: vlm 3 requests, 0 sent, 3 reused",
    ]


def test_on_a_terminal_a_bar() -> None:
    stream = io.StringIO()
    with showing_progress(Console(file=stream, width=160, force_terminal=True)):
        report(step(1, 2))
        report(step(2, 2))
    assert "distilled_cots" in stream.getvalue() and "2/2" in stream.getvalue()


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_without_a_terminal_a_line_every_half_minute_of_a_long_asking() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(Console(file=stream, width=160), clock)
    for second in range(0, 71, 5):
        clock.seconds = float(second)
        lines(Progress("distilled_cots", "made-00000", "vlm", second, 140, 140, 0, tokens=second * 20))
    lines(Progress("distilled_cots", "made-00000", "vlm", 140, 140, 140, 0, finished=True, tokens=1400))
    assert stream.getvalue().splitlines() == [
        "distilled_cots made-00000: vlm 30 of 140 requests planned so far, 20 tokens/s, 2 min left",
        "distilled_cots made-00000: vlm 60 of 140 requests planned so far, 20 tokens/s, 1 min left",
        "distilled_cots made-00000: vlm 140 requests, 140 sent, 0 reused, 20 tokens/s",
    ]


def test_a_bar_says_tokens_a_second_and_the_time_left() -> None:
    progress, clock = RichProgress(disable=True), Clock()
    bars = Bars(progress, clock)
    for second in (0, 4):
        clock.seconds = float(second)
        bars(Progress("distilled_cots", "made-00000", "vlm", second, 20, 20, 0, tokens=second * 100))
    assert progress.tasks[0].fields["pace"] == "100 tokens/s, 16 s left"


def test_nobody_listens_afterwards() -> None:
    stream = io.StringIO()
    with showing_progress(Console(file=stream)):
        pass
    report(step(2, 2))
    assert stream.getvalue() == ""


def test_rows_of_a_source_are_told_now_and_then_where_nobody_watches() -> None:
    clock, written = iter([0.0, 1.0, 31.0, 31.0, 40.0]), io.StringIO()
    with rows_read(Console(file=written), "mine", now=lambda: next(clock)) as tell:
        for done in (10, 1_000, 2_000):
            tell(done, None)
    assert written.getvalue() == "mine: 1,000 rows read\n"
