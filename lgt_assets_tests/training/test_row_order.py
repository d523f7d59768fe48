from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.training.row_order import grouped_order


@given(st.lists(st.integers(1, 500), min_size=1, max_size=80), st.integers(1, 7), st.integers(1, 20), st.integers(0, 9))
def test_every_step_is_full_and_no_row_comes_more_often_than_another_by_more_than_the_rows_sorted_together(
    lengths, batch, steps, seed
):
    order = grouped_order(lengths, batch, steps, seed)
    assert len(order) == batch * steps
    seen = Counter(order)
    assert set(seen) <= set(range(len(lengths)))
    # What is cut off at the end are steps of the last group.
    assert max(seen.values()) <= len(order) // len(lengths) + 1 + -(-8 * batch // len(lengths))


def test_whole_groups_hold_every_row_once():
    assert sorted(grouped_order([5, 9, 1, 7] * 8, 4, 8, 0)) == list(range(32))


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
