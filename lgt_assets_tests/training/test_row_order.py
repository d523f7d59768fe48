from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.training.row_order import grouped_order


@given(st.lists(st.integers(1, 500), min_size=1, max_size=80), st.integers(1, 7), st.integers(1, 40), st.integers(0, 9))
def test_every_row_comes_once_before_any_comes_again_and_no_step_holds_one_twice(lengths, batch, steps, seed):
    order = grouped_order(lengths, batch, steps, seed)
    assert len(order) == batch * steps
    assert len(set(order[: len(lengths)])) == min(len(lengths), len(order))
    seen = Counter(order)
    assert set(seen) <= set(range(len(lengths)))
    assert max(seen.values()) - min(seen[row] for row in range(len(lengths))) <= 1
    if len(lengths) >= batch:
        assert all(len(set(order[start : start + batch])) == batch for start in range(0, len(order), batch))


def test_a_step_holds_rows_of_like_length_and_steps_come_in_no_order_of_length():
    lengths = [10, 1000] * 64
    steps = [grouped_order(lengths, 16, 8, 3)[start : start + 16] for start in range(0, 128, 16)]
    kinds = [{lengths[number] for number in step} for step in steps]
    assert all(len(kind) == 1 for kind in kinds)
    assert kinds != sorted(kinds, key=max)
    assert kinds != sorted(kinds, key=max, reverse=True)


def test_the_order_follows_from_the_seed_alone():
    lengths = list(range(100))
    assert grouped_order(lengths, 4, 20, 1) == grouped_order(lengths, 4, 20, 1)
    assert grouped_order(lengths, 4, 20, 1) != grouped_order(lengths, 4, 20, 2)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no rows"):
        grouped_order([], 4, 2, 0)
