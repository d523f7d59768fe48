"""Diversity of questions against the size of the corpus."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.synthesis.diversity import distinct_n, diversity, diversity_by_size

ROWS = st.lists(
    st.tuples(st.uuids().map(str), st.sampled_from("ab"), st.text("ab ", max_size=9)), unique_by=lambda r: r[0]
)


def test_what_is_counted():
    measures = diversity([("a", "What is it?"), ("a", "what  is it"), ("b", "What is it?"), ("b", "Where is the cat?")])
    assert (measures["questions"], measures["distinct_questions"]) == (4, 0.75)
    assert measures["distinct_1"] == pytest.approx(6 / 13) and measures["distinct_2"] == pytest.approx(5 / 9)
    assert distinct_n(["one two", "two one"], 2) == 1.0
    assert distinct_n(["one"], 2) is None and diversity([])["distinct_1"] is None


def test_repetition_is_less_diverse_than_variety_by_every_measure():
    same = diversity([("a", "What color is the red star?")] * 50)
    varied = diversity([("a", f"What is {n} left of the {n * 7919} behind {n * n * 31}?") for n in range(50)])
    assert all(varied[name] > same[name] for name in same if name != "questions")


@settings(deadline=None)
@given(ROWS, st.sets(st.integers(0, 12)))
def test_parts_grow_and_do_not_depend_on_the_order_of_rows(rows, sizes):
    measured = list(diversity_by_size(rows, list(sizes)))
    assert [row["questions"] for row in measured] == [size for size in sorted(sizes) if size <= len(rows)]
    assert list(diversity_by_size(rows[::-1], list(sizes))) == measured
    counts = [round((row["distinct_questions"] or 0) * row["questions"]) for row in measured]
    assert counts == sorted(counts)
