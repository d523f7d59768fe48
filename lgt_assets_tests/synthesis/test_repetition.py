"""Text that goes round in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.repetition import looped, repetition

SIMPLE = "The ball is red, so it is (B)."
LOOPS = [
    "Let me look. Let me look. Let me look. Let me look.",
    "It is red. I see the edge of it. It is red. The rest lies in the sun. It is red.",
    "round and round the ball goes on the grass " * 8,
    "no wait no wait no wait no wait no wait",
    "it is red it is red it is red it is red and nothing else",
    "ha" * 40,
    "The ball is red",
    "the left one, the right one, the left one, the right one, the left one, the right one, the left one, the right one,",
]
KEPT = [
    "Let me look. Then let me look once more at the ball. It is red.",
    "no; no; no; yes; no; no; yes; no; yes; no",
    "#1 small red circle no; #2 small red star no; #3 small red cross yes. So cross.",
    "The shade of its edge surprised me; it is dark red all the same.",
    "-" * 80,
    "very very very red",
    "",
]


@pytest.mark.parametrize("added", LOOPS)
def test_a_loop_is_found(added):
    assert repetition(SIMPLE, added)


@pytest.mark.parametrize("added", KEPT)
def test_what_repeats_a_little_is_kept(added):
    assert repetition(SIMPLE, added) is None


@given(st.text())
def test_any_text_gives_what_it_repeats_or_none(text):
    assert isinstance(repetition(SIMPLE, text), str | None)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=12), st.integers(4, 9))
def test_a_unit_four_times_on_end_is_a_loop(unit, times):
    words = unit * max(times, -(-8 // len(unit)))
    assert looped(" ".join(words)) is not None


@given(st.lists(st.integers(), unique=True, max_size=99))
def test_words_that_never_come_again_are_no_loop(numbers):
    assert looped(" ".join(f"w{number}" for number in numbers)) is None
