"""Leaks of the caption behind a trace, each with a clean twin."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.leaks import leaked_word

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "lpt"
QUESTION, CHOICES = "What color is the ball?", ["red", "blue", "green", "black"]
LEAKS = [
    "The caption says that it is red.",
    "According to the description it is red.",
    "The ball is described as red.",
    "The image describes a red ball.",
    "As mentioned, the ball lies on the grass.",
    "The user asks about the ball.",
    "The user's picture shows a ball.",
    "It is clearly stated that the ball is red.",
    "The text says that the ball is red.",
    "Based on the text, the ball is red.",
    "From the textual details it is red.",
    "The picture specifically notes a red ball.",
    "Let me visualize the scene again.",
    "I have a mental image of the ball.",
    "I'm supposed to reason from the picture.",
    "I will answer without mentioning the source.",
    "I cannot see the image, but it must be red.",
    "Going by the information given, it is red.",
    "The provided details say red.",
    "The bounding boxes overlap.",
]
CLEAN = [
    "The texture of the contextual userland looks captionless.",
    "There is small text on the ball that I can't read.",
    "The text on the sign is red.",
    "In the text above the door the first letter is red.",
    "The question mentions a ball, so I look for one.",
    "The options don't mention orange.",
    "Option B describes another ball.",
    "As I mentioned, the ball is red.",
    "The word that best describes it is red.",
    "The mood can be described as calm.",
    "The driver promptly stopped.",
    "A wheelchair user waits at the corner.",
    "The United States flag is red and white.",
    "The image shows a red ball.",
    "According to the image, the ball is red.",
    "I imagine that it rolled there.",
    "The ball is supposed to lie on the grass.",
    "The sign says that the ball is red.",
    "It is clearly visible and clearly red.",
]


@pytest.mark.parametrize("added", LEAKS)
def test_a_leak_is_found(added):
    word = leaked_word(added, QUESTION, CHOICES)
    assert word is not None and word in added.lower()


@pytest.mark.parametrize("added", CLEAN)
def test_its_clean_twin_is_not(added):
    assert leaked_word(added, QUESTION, CHOICES) is None


def test_words_of_the_question_and_text_in_the_picture_may_be_spoken_of():
    asked = "What does the text on the sign say?"
    assert leaked_word("The text says STOP.", asked, CHOICES) is None
    assert leaked_word("The text says STOP.", QUESTION, CHOICES) is not None
    assert leaked_word("The caption says STOP.", asked, CHOICES) is not None
    assert leaked_word("It is described as striped.", "How is the pattern described?", CHOICES) is None


def test_quoting_the_caption_is_a_leak_and_quoting_a_sign_is_none():
    caption = "A red ball lies on wet grass behind the shed."
    assert leaked_word('It shows "a red ball lies on wet grass", so red.', QUESTION, CHOICES, caption) is not None
    assert leaked_word('It shows "a red ball lies on wet grass", so red.', QUESTION, CHOICES) is None
    assert leaked_word('The sign reads "no ball games on the grass".', QUESTION, CHOICES, caption) is None


@given(st.text(), st.text(), st.text())
def test_any_text_gives_a_word_or_none(added, question, caption):
    word = leaked_word(added, question, CHOICES, caption)
    assert word is None or isinstance(word, str)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="../shared/reference is absent")
def test_on_recorded_expansions_whole_words_keep_textures_and_catch_what_a_word_list_misses():
    """LongPerceptualThoughts' bad words, matched anywhere as there, against ours."""
    theirs = (
        "description,descriptions,describe,describes,described,mention,mentions,mentioned,misread,text,state,states,stated,"
        "say,says,said,internal,mental,visualize,visualization,the image described,user's,detailed image"
    ).split(",")
    texts = [
        (text.partition("</think>")[0], row["choices_shown"])
        for row in map(json.loads, (REFERENCE / "reasoner_expansions.jsonl").read_text(encoding="utf-8").splitlines())
        for text in row["completions"]
    ]
    ours = {text for text, choices in texts if leaked_word(text, "", choices) is not None}
    anywhere = {text for text, _ in texts if any(word in text for word in theirs)}
    textures = {
        text for text, _ in texts if "texture" in text and not any(word in text for word in theirs if word != "text")
    }
    assert len(ours) > 0.5 * len(texts)
    assert textures and len(textures & ours) < 0.2 * len(textures) and textures <= anywhere
    assert {text for text, _ in texts if "the user" in text} - anywhere <= ours
    assert {text for text, _ in texts if "image describes" in text} <= ours
