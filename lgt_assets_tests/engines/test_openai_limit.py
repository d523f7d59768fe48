"""The adaptive limit against simulated servers: no clock, no network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.openai_limit import FIRST_LIMIT, AdaptiveLimit

MOST = 256


def serve(
    limit: AdaptiveLimit, rounds: int, *, seconds: float = 1.0, capacity: int = 10**6, refuses: bool = False
) -> list[int]:
    """Rounds in which every slot is used; the limit before each. Above its capacity the server refuses or slows down."""
    seen = []
    for _round in range(rounds):
        sent, epoch = limit.value, limit.epoch
        seen.append(sent)
        taken = min(sent, capacity) if refuses else sent
        for _answer in range(taken):
            limit.completed(epoch, seconds * max(1.0, sent / capacity), 10, True)
        for _refusal in range(sent - taken):
            limit.refused(epoch)
    return seen


def test_grows_by_doubling_to_the_most_while_latency_holds() -> None:
    assert serve(AdaptiveLimit(8 * FIRST_LIMIT, 3.0), 5) == [FIRST_LIMIT * factor for factor in (1, 2, 4, 8, 8)]


def test_a_storm_of_refusals_halves_once() -> None:
    limit = AdaptiveLimit(MOST, 3.0)
    assert [limit.refused(0) for _refusal in range(5)] == [True, False, False, False, False]
    assert limit.value == FIRST_LIMIT // 2
    limit.completed(0, 1.0, 1, True)  # sent before: says nothing about the new limit
    assert limit.value == FIRST_LIMIT // 2


def test_settles_about_the_capacity_of_a_server_that_refuses_and_grows_when_it_has_more() -> None:
    limit = AdaptiveLimit(MOST, 3.0)
    settled = serve(limit, 200, capacity=24, refuses=True)[20:]
    assert max(settled) <= 24 + 5 and min(settled) >= 24 // 2
    assert sum(sent > 24 for sent in settled) < len(settled) / 3
    assert serve(limit, 60, capacity=200, refuses=True)[-1] > 100


def test_settles_where_latency_passes_the_tolerance_and_grows_when_it_falls() -> None:
    limit = AdaptiveLimit(MOST, 2.0)
    settled = serve(limit, 100, capacity=40)[50:]
    assert 2 * 40 <= min(settled) <= max(settled) < 3 * 40
    assert serve(limit, 60, capacity=1000)[-1] == MOST


def test_does_not_grow_unused() -> None:
    limit = AdaptiveLimit(MOST, 3.0)
    for _answer in range(10 * MOST):
        limit.completed(0, 1.0, 1, False)
    assert limit.value == FIRST_LIMIT


def test_long_answers_are_no_latency() -> None:
    limit = AdaptiveLimit(MOST, 1.5)
    for tokens in (10, 1000, 5, 400) * MOST:
        limit.completed(limit.epoch, tokens * 0.01, tokens, True)
    assert limit.value == MOST


def test_a_server_that_slows_down_for_others_is_measured_anew() -> None:
    limit = AdaptiveLimit(MOST, 2.0)
    serve(limit, 10, capacity=1000)
    assert serve(limit, 300, seconds=50.0, capacity=1000)[-1] > 4  # its new latency became its own at a small limit


def test_comes_back_with_one_request() -> None:
    limit = AdaptiveLimit(MOST, 3.0)
    serve(limit, 5)
    limit.restart()
    assert serve(limit, 4) == [1, 2, 4, 8]


@given(
    st.integers(1, 64),
    st.lists(st.tuples(st.sampled_from("afr"), st.floats(0, 1e6), st.integers(0, 10**6), st.booleans()), max_size=300),
)
@pytest.mark.filterwarnings("error")
def test_never_leaves_its_bounds(most: int, events: list[tuple[str, float, int, bool]]) -> None:
    limit = AdaptiveLimit(most, 2.0)
    for kind, seconds, tokens, used_up in events:
        if kind == "a":
            limit.completed(limit.epoch, seconds, tokens, used_up)
        elif kind == "f":
            limit.refused(limit.epoch)
        else:
            limit.restart()
        assert 1 <= limit.value <= most
