"""Wilson's interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.intervals import wilson_interval


def test_wilson_interval_is_the_known_one():
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="between 0 and samples"):
        wilson_interval(3, 2)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(case):
    right, samples = case
    low, high = wilson_interval(right, samples)
    assert 0 <= low <= right / samples + 1e-9 and right / samples - 1e-9 <= high <= 1
