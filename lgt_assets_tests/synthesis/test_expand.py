"""Long traces and their filters."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.engines.base import Completion
from lgt_assets.schemas import frame
from lgt_assets.synthesis.distill import build_cots, plan_cots
from lgt_assets.synthesis.expand import build_expansions, choose_chains, plan_expansions
from lgt_assets.synthesis.planned import Answered
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, seed_questions, written_trace

MADE = profile(distill={"samples": 4, "answer_formats": ["letter"]}, expand={"chains_per_question": 2, "samples": 2})


def _simple(item):
    """Right in the even samples."""
    index = (
        item.context["right_index"] if item.context["sample_index"] % 2 == 0 else (item.context["right_index"] + 1) % 4
    )
    choice = item.context["choices_shown"][index]
    return written_trace(f"Look {item.context['sample_index']}. Answer: {choice} ({'ABCD'[index]}).", index)


def _planned(made):
    images, objects = pictures(count=1)
    questions = seed_questions(images, objects, [{}] * 4)
    simple = answer(plan_cots(images, questions, profile=made, prompts=PROMPTS), _simple)
    cots = frame("distilled_cots", list(build_cots(SHARD, simple, profile=made).rows))
    return list(plan_expansions(images, objects, questions, cots, profile=made, prompts=PROMPTS))


@pytest.fixture
def planned():
    return _planned(MADE)


def _reply(item, added="the edge looks different in this light.", index=None):
    index = item.context["right_index"] if index is None else index
    return f" {added} So it is ({'ABCD'[index]}). </think><answer>({'ABCD'[index]})</answer>"


def _one_faulty(planned, reply):
    planned[5].context["caption"] = "Balls on grass lie in the sun."
    return build_expansions(
        SHARD, answer(planned, lambda item: reply if item is planned[5] else _reply(item)), profile=MADE
    )


def test_a_right_and_a_wrong_chain_are_continued_word_for_word(planned):
    assert len(planned) == 4 * 2 * 2
    for start in range(0, len(planned), 4):
        contexts = [item.context for item in planned[start : start + 4]]
        assert [context["simple_is_correct"] for context in contexts] == [True, True, False, False]
    for item in planned:
        assert item.request.prefix == f"<think> {item.context['simple_thought']} {item.context['cue']}"
        assert "Caption 0" in item.request.messages[0].text and item.request.messages[0].images == ()
    assert len({item.context["cue"] for item in planned}) > 1
    assert len({item.request.seed for item in planned}) == len(planned)


def test_wrong_chains_may_be_continued_more_often():
    settings = MADE.expand.model_copy(update={"samples": 1, "samples_of_wrong": 3})
    planned = _planned(MADE.model_copy(update={"expand": settings}))
    assert Counter(item.context["simple_is_correct"] for item in planned) == {True: 4, False: 12}


def test_equal_chains_are_continued_once():
    chain = {"question_id": "q", "thought": "t", "answer_index": 0, "is_correct": True}
    chains = [chain | {"sample_index": index, "cot_id": str(index)} for index in range(3)]
    assert [row["cot_id"] for row in choose_chains(chains, 2)] == ["0"]


def test_transitions_behaviours_and_the_kept_start(planned):
    def write(item):
        wrong = (item.context["right_index"] + 2) % 4
        return _reply(item, "let me check. Wait, no.", None if item.context["sample_index"] == 0 else wrong)

    outcome = build_expansions(SHARD, iter(answer(planned, write)), profile=MADE)
    validate("expanded_traces", frame("expanded_traces", list(outcome.rows)))
    assert [row["transition"] for row in outcome.rows] == ["OO", "OX", "XO", "XX"] * 4
    for row, item in zip(outcome.rows, planned, strict=True):
        start = f"{item.context['simple_thought']} {item.context['cue']}"
        assert row["thought"].startswith(start) and row["added_thought"] == row["thought"].removeprefix(start).strip()
        assert row["behaviours"]["verification"] >= 1 and row["behaviours"]["backtracking"] >= 1


@pytest.mark.parametrize(("added", "reason"), [
    ("the caption says that it is red.", "leaks_source"),
    ("according to the description it is red.", "leaks_source"),
    ("the text says that it is red, I think.", "leaks_source"),
    ("the user asks about the ball on the grass.", "leaks_source"),
    ("as mentioned, the ball lies on the grass.", "leaks_source"),
    ("it is described as red in the picture.", "leaks_source"),
    ("let me look. Let me look. Let me look. Let me look.", "repeats"),
    ("round and round the ball goes on the grass " * 8, "repeats"),
    ("the ball lies on the 草地 and shines.", "wrong_language"),
    ("der Ball ist rot und er liegt auf dem Gras, das nicht hoch ist.", "wrong_language"),
    ('it says "balls on grass lie in the sun" here.', "leaks_source"),
])  # fmt: skip
def test_a_fault_in_what_was_added_is_caught(planned, added, reason):
    outcome = _one_faulty(planned, _reply(planned[5], added))
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert (
        list(outcome.rejections)[0]["parent_id"] == planned[5].context["cot_id"]
        and list(outcome.rejections)[0]["detail"]
    )
    assert (outcome.parsed, len(outcome.rows)) == (16, 15)


@pytest.mark.parametrize("added", [
    "the texture of the contextual userland looks captionless.",
    "the choice that best describes it is another one.",
    "let me look. Then let me look once more at the ball.",
    "I was right before, though the shade surprised me.",
])  # fmt: skip
def test_the_clean_twin_is_kept(planned, added):
    assert _one_faulty(planned, _reply(planned[5], added)).rejections == []


def test_a_question_about_a_text_may_be_answered_with_the_word(planned):
    for item in planned:
        item.context["question"] = "What text is on the sign?"
    assert _one_faulty(planned, _reply(planned[5], "the text on the sign is easy to read.")).rejections == []
    assert len(_one_faulty(planned, _reply(planned[5], "the caption is easy to read.")).rejections) == 1


@pytest.mark.parametrize(("reply", "reason"), [
    (" it is", "cut_off"),
    (" it is red. </think><answer>(B)", "cut_off"),
    (" it is red. </think> Nice.", "no_answer"),
    (" no. </think><answer>(B)</answer>", "added_too_short"),
    (" it is quite another hue. </think><answer>mauve</answer>", "answer_not_a_choice"),
])  # fmt: skip
def test_what_cannot_be_read_is_rejected(planned, reply, reason):
    outcome = _one_faulty(planned, reply)
    assert [(rejection["reason"], rejection["raw"]) for rejection in outcome.rejections] == [(reason, reply)]


@pytest.mark.parametrize("stated", [
    "Answer: {choice} ({letter}).", "So the answer is ({letter}).", "The correct answer should be {letter}. {choice}",
    "So it is {choice}.", "Therefore, ({letter}).",
])  # fmt: skip
def test_a_thought_must_end_with_the_answer_given(planned, stated):
    context = planned[5].context
    right, wrong = context["right_index"], (context["right_index"] + 1) % 4

    def outcome(index):
        said = stated.format(letter="ABCD"[index], choice=context["choices_shown"][index])
        reply = f" looking at the edge again. {said} </think><answer>({'ABCD'[right]})</answer>"
        return _one_faulty(planned, reply)

    assert [rejection["reason"] for rejection in outcome(wrong).rejections] == ["inconsistent_answer"]
    assert outcome(right).rejections == []


def test_a_silent_change_of_answer_is_inconsistent(planned):
    context = planned[5].context
    stated = (context["right_index"] + (0 if context["simple_is_correct"] else 1)) % 4
    other = (stated + 2) % 4
    for index, count in ((stated, 0), (other, 1)):
        reply = f" the edge of it deserves a second look. </think><answer>({'ABCD'[index]})</answer>"
        assert len(_one_faulty(planned, reply).rejections) == count


REPLIES = [
    "{}",
    " {} </think><answer>(A)</answer>",
    " {} So it is (B). </think><answer>(B)</answer>",
    " {} </think> {}",
]


@settings(deadline=None)  # pandera validates each example
@given(st.text(), st.sampled_from(REPLIES), st.text(min_size=1).filter(str.strip), st.sampled_from(["stop", "length"]))
def test_any_continuation_is_a_trace_that_keeps_the_simple_text_or_a_typed_rejection(text, form, simple, finish_reason):
    image, simple = pictures(count=1)[0].row(0, named=True), simple.strip()
    context = {
        "cot_id": "d.made-00000.0123456789abcdef", "question_id": "q", "image_id": image["image_id"], "question": "What?",
        "choices_shown": ["red", "blue"], "right_index": 0, "simple_thought": simple, "simple_is_correct": True, "cue": "Wait,",
        "sample_index": 0, "caption": "A red ball.",
    }  # fmt: skip
    completion = Completion("k" * 64, form.format(text, text), finish_reason)
    outcome = build_expansions(SHARD, [Answered("0" * 64, completion, context)], profile=MADE)
    assert len(outcome.rows) + len(outcome.rejections) == 1
    validate("expanded_traces", frame("expanded_traces", list(outcome.rows)))
    validate("rejections", frame("rejections", list(outcome.rejections)))
    for row in outcome.rows:
        assert row["thought"].startswith(f"{simple} Wait,")
