"""Progress as a user sees it."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lgt_assets.commands.progress_bars import Tally, showing_progress
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


def test_nobody_listens_afterwards() -> None:
    stream = io.StringIO()
    with showing_progress(Console(file=stream)):
        pass
    report(step(2, 2))
    assert stream.getvalue() == ""
