"""Growth of the number of different questions, and similarity within a picture."""

from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.question_growth import growth, jaccard, similarity_within_image

GROUPS = [["What is red?", "what is red", None, "Where is it?"], ["What is red?", "Who is it?"]]


def test_similarity_is_of_word_sets_and_within_a_picture():
    assert (
        jaccard("What is red?", "Is red what?") == 1.0 and jaccard("a b", "b c") == 1 / 3 and jaccard("?", "!") == 1.0
    )
    assert similarity_within_image([["a b", "b c", None], ["a b"]]) == 1 / 3
    assert similarity_within_image([["a"], ["a"]]) is None


def test_growth_counts_what_was_asked_and_what_is_new():
    points = [(p.per_image, p.asked, p.written, p.distinct, p.wordings) for p in growth(GROUPS)]
    assert points == [(1, 2, 2, 2, 1), (2, 4, 4, 3, 2), (3, 5, 4, 3, 2), (4, 6, 5, 4, 3)]
    assert growth([]) == []


@given(st.lists(st.lists(st.none() | st.text(max_size=8), max_size=6), max_size=5))
def test_curves_never_fall_and_end_with_all_requests(groups):
    points = growth(groups)
    for earlier, later in zip(points, points[1:], strict=False):
        assert (
            earlier.distinct <= later.distinct and earlier.wordings <= later.wordings and earlier.asked <= later.asked
        )
    for point in points:
        assert point.wordings <= point.distinct <= point.written <= point.asked
    assert (points[-1].asked if points else 0) == sum(map(len, groups))
