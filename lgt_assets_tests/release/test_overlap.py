"""Benchmark questions are found in other dress, and others are let be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.release.overlap import QuestionIndex, words_of

LONG = "What color is the umbrella that the woman next to the yellow taxi holds?"
SHORT = "Is it raining?"
INDEX = QuestionIndex(
    [(LONG, "vqa, row 1"), (SHORT, "vqa, row 2"), ("图中有几只猫？", "vqa, row 3")], ngram=8, share=0.5
)


@pytest.mark.parametrize(
    ("question", "where"),
    [
        (LONG, "vqa, row 1"), (LONG.upper().replace(",", ""), "vqa, row 1"), (f"Look: {LONG.lower()}!", "vqa, row 1"),
        ("What color is the umbrella that the woman next to the bus holds up?", "vqa, row 1"),
        ("is it raining", "vqa, row 2"), ("“Is it – raining?”", "vqa, row 2"), ("图中有几只猫", "vqa, row 3"),
        ("What color is the umbrella?", None), ("Is it raining on the roof?", None), ("", None), ("?", None),
        ("The woman next to the yellow taxi holds what, and is it the same color as her hat and her shoes or the dog?", None),
        ("图中有几只狗", None),
    ],
)  # fmt: skip
def test_overlap(question, where):
    assert INDEX.find(question) == where


@given(st.text(), st.integers(2, 9))
def test_every_text_with_words_is_found_in_itself(text, ngram):
    index = QuestionIndex([(text, "here")], ngram=ngram, share=1.0)
    assert index.find(text) == ("here" if words_of(text) else None)


@given(st.lists(st.sampled_from("abcdefg"), max_size=20), st.lists(st.sampled_from("hijkl"), max_size=20))
def test_texts_without_a_common_word_never_overlap(ours, theirs):
    assert QuestionIndex([(" ".join(theirs), "there")], ngram=2, share=0.1).find(" ".join(ours)) is None
