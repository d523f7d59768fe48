"""When two questions of a picture are one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.synthesis.near_duplicates import are_near_duplicates, asked_question, content_words, duplicate_reason

SIMILARITY = 0.8
TEXTS = st.text(alphabet="abc 12,?'s-é\n", max_size=40)


@pytest.mark.parametrize(("one", "answer", "other", "other_answer"), [
    ("What color is the star?", "red", "What is the color of the star?", "red"),
    ("What color is the star?", "red", "Which color does the star have?", "blue"),
    ("How many red stars are there?", "2", "How many red stars can you see in the picture?", "2"),
    ("Which is larger, the red star or the dot?", "red star", "Which is larger, the dot or the red star?", "red star"),
    ("What color is the dog's collar?", "green", "What is the color of the collar of the dog?", "green"),
    ("What color is the dog's collar?", "green", "What is the color of the collar worn by the dog?", "Green"),
    ("What is on the wooden table?", "a vase", "What is on the wooden tables?", "a vase"),
])  # fmt: skip
def test_other_words_for_the_same_are_found(one, answer, other, other_answer):
    pair = asked_question(one, answer), asked_question(other, other_answer)
    assert duplicate_reason(pair[0], [pair[1]], SIMILARITY) == "near_duplicate"
    assert duplicate_reason(pair[1], [pair[0]], SIMILARITY) == "near_duplicate"
    assert duplicate_reason(pair[0], [pair[1]], None) is None


@pytest.mark.parametrize(("one", "other", "answer"), [
    ("Where is the red star?", "Where is the blue star?", "top-left"),
    ("Where is the red star?", "Where is the red circle?", "top-left"),
    ("How many red stars are there?", "How many blue stars are there?", "2"),
    ("How many dogs are there?", "How many brown dogs are there?", "2"),
    ("Are there 3 cups?", "Are there 4 cups?", "yes"),
    ("Are there three cups on the table?", "Are there cups on the table?", "of tin"),
    ("What is under the long wooden table by the window?", "What is on the long wooden table by the window?", "a vase"),
    ("Is the red star left of the blue circle?", "Is the blue star left of the red circle?", "yes"),
])  # fmt: skip
def test_another_number_colour_object_or_place_is_another_question(one, other, answer):
    assert duplicate_reason(asked_question(one, answer), [asked_question(other, answer)], SIMILARITY) is None


def test_a_relation_turned_round_is_another_question():
    one = asked_question("Where is the red star relative to the blue circle?", "left")
    assert not are_near_duplicates(
        one, asked_question("Where is the blue circle relative to the red star?", "right"), SIMILARITY
    )


def test_the_same_text_is_a_duplicate_at_any_similarity():
    one, same = asked_question("What  is **it**?", "a cat"), asked_question("what is it", "a dog")
    assert duplicate_reason(one, [asked_question("Who?", "a cat"), same], None) == "duplicate_question"
    assert duplicate_reason(one, [], SIMILARITY) is None


def test_a_question_of_function_words_keeps_them():
    assert content_words("what is it") == ("what", "is", "it")
    assert content_words("how many boxes and stories are in the picture") == ("how", "many", "box", "story")


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS, st.floats(0, 1))
def test_any_two_texts_compare_both_ways_alike(one, other, answer, other_answer, similarity):
    pair = asked_question(one, answer), asked_question(other, other_answer)
    assert are_near_duplicates(*pair, similarity) == are_near_duplicates(*reversed(pair), similarity)
    assert are_near_duplicates(pair[0], pair[0], similarity)
