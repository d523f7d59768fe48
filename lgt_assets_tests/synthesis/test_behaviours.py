"""Cues of reasoning behaviours."""

from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.behaviours import count_behaviours


def test_cues_count_on_whole_words_in_any_case():
    thought = "First, I look. WAIT, the waiter awaits. Let me check again. Then I was wrong; let’s double-check."
    assert count_behaviours(thought) == {"subgoal_setting": 2, "backtracking": 2, "verification": 2}


def test_of_overlapping_cues_the_longer_counts_once():
    assert count_behaviours("First of all, let me check again.") == {
        "subgoal_setting": 1, "backtracking": 0, "verification": 1,
    }  # fmt: skip


@given(st.text())
def test_any_text_has_counts(text):
    assert all(count >= 0 for count in count_behaviours(text).values())
