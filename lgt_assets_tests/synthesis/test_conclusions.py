"""The answer that a thought comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.conclusions import concluded_index

CHOICES = ["small ripples", "large waves", "foam", "glass"]


@pytest.mark.parametrize(("thought", "index"), [
    ("So the answer is (C).", 2),
    ("The answer is (A). Looking again, the correct answer is large waves.", 1),
    ("Answer: foam (C).", 2),
    ("I see foam at first. So it is glass.", 3),
    ("The water looks smooth without large waves.", None),
    ("There is no foam.", None),
    ("It could be foam or glass.", None),
    ("I see water.", None),
    ("", None),
])  # fmt: skip
def test_the_last_statement_counts_and_what_is_denied_does_not(thought, index):
    assert concluded_index("", thought, CHOICES) == index


def test_what_adds_no_answer_keeps_the_one_before():
    assert concluded_index("The answer is (B).", "the sky is grey.", CHOICES) == 1
    assert concluded_index("The answer is (B).", "so it is foam.", CHOICES) == 2


@given(st.text(), st.text())
def test_any_text_comes_to_a_choice_or_none(simple, added):
    assert concluded_index(simple, added, CHOICES) in (None, 0, 1, 2, 3)
