import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.training.comparisons import difference, mean_over_seeds

HITS = st.integers(2, 20).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=2, max_size=4)
)


def test_three_seeds_have_the_interval_of_the_t_table() -> None:
    found = mean_over_seeds([0.4, 0.5, 0.6])
    assert found.value == pytest.approx(0.5)
    # 4.303 for two degrees of freedom, of a standard error of 0.1 / sqrt(3)
    assert found.high - found.value == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-4)


def test_one_seed_says_nothing_of_seeds_and_its_verdict_says_so() -> None:
    assert mean_over_seeds([0.4]).high == math.inf
    found = difference([[True] * 50], [[False] * 50])
    assert found.verdict == "better, of one seed" and found.widest == found.over_questions
    assert difference([[False] * 50], [[True] * 50]).verdict == "worse, of one seed"


def test_an_effect_that_seeds_disagree_on_is_noise_however_many_questions_there_are() -> None:
    reference = [[False] * 1000]
    first = [[True] * many + [False] * (1000 - many) for many in (0, 100, 500)]
    found = difference(first, reference)
    assert not found.over_questions.holds_zero and found.over_seeds.holds_zero
    assert found.verdict == "within the noise"


def test_an_effect_of_few_questions_is_noise_however_alike_the_seeds_are() -> None:
    found = difference([[True, False, False, False]] * 3, [[False] * 4])
    assert found.over_seeds.low > 0 and found.verdict == "within the noise"


@given(HITS)
def test_turning_it_round_turns_the_sign(hits: list[list[bool]]) -> None:
    other = [[not one for one in own] for own in hits]
    there, back = difference(hits, other), difference(other, hits)
    assert there.value == pytest.approx(-back.value)
    assert there.widest.low == pytest.approx(-back.widest.high)
    same = difference(hits, hits)
    assert same.value == 0 and same.verdict == "within the noise"


def test_different_questions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        difference([[True, False]], [[True]])
    with pytest.raises(ValueError, match="3 and 2 seeds"):
        difference([[True]] * 3, [[True]] * 2)
