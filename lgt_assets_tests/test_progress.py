"""Pace and time left, by a clock that is handed in."""

import pytest

from lgt_assets.progress import Pace, Progress, short_time


class Clock:
    seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


def paced(*reports: tuple[float, int, int, int, int, bool]) -> Pace:
    """After reports of (at, done, total, reused, tokens, finished)."""
    clock = Clock()
    pace = Pace(clock)
    for at, done, total, reused, tokens, finished in reports:
        clock.seconds = 50 + at
        pace.add(Progress("distilled_cots", "made-00000", "vlm", done, total, total - reused, reused, finished, tokens))
    return pace


def test_nothing_is_known_at_first() -> None:
    pace = paced((0, 0, 10, 0, 0, False))
    assert (pace.tokens_per_second, pace.seconds_left, pace.elapsed) == (None, None, 0)
    assert Pace().seconds_left is None


def test_pace_is_tokens_over_the_time_of_the_asking() -> None:
    pace = paced((0, 0, 10, 0, 0, False), (4, 2, 10, 0, 200, False))
    assert (pace.tokens_per_second, pace.seconds_left) == (50.0, 16.0)


def test_stored_answers_say_nothing_of_the_time_left() -> None:
    pace = paced((0, 80, 100, 80, 0, False), (10, 85, 100, 80, 50, False))
    assert pace.seconds_left == 30.0
    assert paced((0, 80, 100, 80, 0, False), (1, 90, 100, 90, 0, False)).seconds_left is None


def test_when_all_is_answered_nothing_is_left() -> None:
    assert paced((0, 0, 4, 0, 0, False), (4, 4, 4, 0, 9, True)).seconds_left == 0.0


def test_a_new_asking_starts_the_clock_again() -> None:
    for finished in (True, False):  # an asking that died is told by its lower count
        pace = paced(
            (0, 0, 4, 0, 0, False), (9, 4, 4, 0, 90, finished), (10, 0, 8, 0, 0, False), (12, 1, 8, 0, 10, False)
        )
        assert (pace.elapsed, pace.tokens_per_second, pace.seconds_left) == (2, 5.0, 14.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.9, "1 min"), (90, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert short_time(seconds) == words
