"""Which questions stand without their choices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.open_answers import verify_open
from lgt_assets.synthesis.open_form import open_verification

COLORS = ["red", "green", "blue", "black"]
STANDS = [
    ("How many cups are there?", ["2", "3", "4", "5"], "number"),
    ("How many cups are there?", ["two", "3", "4", "5"], "number"),
    ("What color is the mug above the shelf?", COLORS, "exact_text"),
    ("What animal sits on the sofa?", ["a small cat", "dog", "bird", "cow"], "exact_text"),
    ("Is the cup full?", ["yes", "no"], "exact_text"),
    ("Which is larger, the cup or the plate?", ["the cup", "the plate", "neither", "cannot tell"], "exact_text"),
]  # fmt: skip
LEANS = [
    ("Which of these is red?", COLORS), ("Which of the following colors is seen?", COLORS), ("What is listed?", COLORS),
    ("Which option is right?", COLORS), ("Which statement is true?", ["a cup", "a mug"]), ("Which one is larger?", COLORS),
    ("What best describes the scene?", COLORS), ("What color is not in the picture?", COLORS),
    ("What isn't on the table?", ["cup", "mug"]), ("Which color does not occur?", COLORS),
    ("Where is the cup?", ["left", "right"]), ("Why is he there?", ["work", "fun"]),
    ("What could he be doing?", ["work", "play"]), ("How does it look?", ["old", "new"]), ("", COLORS), ("?", COLORS),
    ("What color is the cup?", ["None of them", "red"]), ("What color is the cup?", ["neither", "red", "blue"]),
    ("What color is the cup?", ["All of the above", "red"]), ("What color is the cup?", ["cannot tell", "red"]),
    ("What color is the cup?", ["It can't be determined", "red"]), ("What color is the cup?", ["red and blue", "green"]),
    ("What color is the cup?", ["red", "The red"]), ("What is there?", ["a very large old cup", "mug"]),
    ("How many cups are there?", ["2", "two"]), ("What letter is it?", ["A", "B"]), ("What is it?", ["...", "mug"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "choices", "verification"), STANDS)
def test_it_stands(question, choices, verification):
    assert open_verification(question, choices, 0, most_words=3) == verification


@pytest.mark.parametrize(("question", "choices"), LEANS)
def test_it_leans_on_its_choices(question, choices):
    assert open_verification(question, choices, 0, most_words=3) is None


def test_the_limit_of_words_is_that_of_the_right_answer():
    choices = ["an old red cup", "a mug"]
    assert open_verification("What is it?", choices, 0, most_words=2) is None
    assert open_verification("What is it?", choices, 0, most_words=3) == "exact_text"
    assert open_verification("What is it?", choices, 1, most_words=2) == "exact_text"


WORD = st.sampled_from(
    ["what", "color", "is", "it", "3", "three", "cup", "none", "which of these", "a", "!", "½", "\u0130"]
)
TEXT = st.lists(WORD, max_size=4).map(" ".join) | st.text(max_size=12)


@given(TEXT, st.lists(TEXT, min_size=2, max_size=5), st.data())
def test_where_it_stands_its_right_choice_and_no_other_verifies(question, choices, data):
    index = data.draw(st.integers(0, len(choices) - 1))
    verification = open_verification(question, choices, index, most_words=3)
    if verification is not None:
        verdicts = [verify_open(f"<answer>{choice}</answer>", choices[index], verification) for choice in choices]
        assert verdicts == [position == index for position in range(len(choices))]
