"""Simple chains of thought."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.schemas import frame
from lgt_assets.synthesis.distill import build_cots, plan_cots
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, seed_questions, written_trace

MADE = profile(distill={"samples": 3})


@pytest.fixture
def planned():
    images, objects = pictures(count=1)
    return list(plan_cots(images, seed_questions(images, objects, [{}] * 8), profile=MADE, prompts=PROMPTS))


def _write(item):
    return written_trace(f"I see it, {item.context['sample_index']}.", item.context["right_index"])


def test_samples_share_messages_and_differ_in_seed(planned):
    for start in range(0, len(planned), 3):
        requests = [item.request for item in planned[start : start + 3]]
        assert len({request.messages for request in requests}) == 1
        assert len({request.seed for request in requests}) == 3
        assert [request.sample_index for request in requests] == [0, 1, 2]


def test_the_picture_goes_with_the_question_and_no_caption_does(planned):
    (message,) = planned[0].request.messages
    assert message.images[0].sha256 and message.images[0].uri.endswith("0.png")
    assert "grass" not in message.text and "What is thing 0?" in message.text


def test_choices_are_shuffled_once_per_question_and_formats_vary(planned):
    shown = {item.context["question_id"]: item.context for item in planned}
    assert all(context["choices_shown"][context["right_index"]] == "red" for context in shown.values())
    assert len({tuple(context["choices_shown"]) for context in shown.values()}) > 1
    assert {context["answer_format"] for context in shown.values()} == {"letter", "letter_text"}
    for item in planned:
        listed = "\n".join(f"({'ABCD'[i]}) {choice}" for i, choice in enumerate(item.context["choices_shown"]))
        assert listed in item.request.messages[0].text


def test_right_and_wrong_chains_become_valid_rows(planned):
    def write(item):
        right = item.context["sample_index"] != 2
        index = item.context["right_index"] if right else (item.context["right_index"] + 1) % 4
        return written_trace("I see it.", index)

    outcome = build_cots(SHARD, iter(answer(planned, write)), profile=MADE)
    validate("distilled_cots", frame("distilled_cots", list(outcome.rows)))
    assert (outcome.asked, outcome.parsed, len(outcome.rows)) == (24, 24, 24)
    assert [row["is_correct"] for row in outcome.rows] == [True, True, False] * 8
    assert {row["behaviours"]["verification"] for row in outcome.rows} == {0}


def test_planning_asks_for_nothing_that_is_not_wanted_yet():
    images, objects = pictures(count=1)
    planned = plan_cots(images, seed_questions(images, objects, [{}] * 8), profile=MADE, prompts=PROMPTS)
    assert next(planned).context["sample_index"] == 0 and next(planned).context["sample_index"] == 1


@pytest.mark.parametrize(("reply", "reason"), [
    ("<think> I see", "cut_off"),
    ("<think> I see. </think><answer>B", "cut_off"),
    ("<think> I see. </think> It looks nice.", "no_answer"),
    ("<think></think><answer>(B)</answer>", "empty_thought"),
    ("<think> I see. </think><answer>purple</answer>", "answer_not_a_choice"),
    ("<think> I see. </think><answer>A or B</answer>", "several_answers"),
    ("<think> I see 一个球. </think><answer>(B)</answer>", "wrong_language"),
    ("<think> Es ist ein Ball und er ist rot, das ist nicht blau. </think><answer>(B)</answer>", "wrong_language"),
    ("<think> I look at it once and " + "again and " * 12 + "</think><answer>(B)</answer>", "repeats"),
    ("<think> I see. So the answer is (C). </think><answer>(B)</answer>", "inconsistent_answer"),
])  # fmt: skip
def test_a_faulty_reply_is_rejected_beside_its_clean_twins(planned, reply, reason):
    outcome = build_cots(
        SHARD, answer(planned, lambda item: reply if item is planned[4] else _write(item)), profile=MADE
    )
    assert [(rejection["reason"], rejection["raw"]) for rejection in outcome.rejections] == [(reason, reply)]
    assert list(outcome.rejections)[0]["parent_id"] == planned[4].context["question_id"]
    assert len(outcome.rows) == 23


def test_out_of_length_without_an_answer_is_cut_off(planned):
    cut = answer(planned[:1], lambda _: "<think> a </think> It is", finish_reason="length")
    outcome = build_cots(SHARD, cut, profile=MADE)
    assert [rejection["reason"] for rejection in outcome.rejections] == ["cut_off"]


def test_any_language_may_be_asked_for(planned):
    free = profile(distill={"samples": 3, "language": "any"})
    outcome = build_cots(SHARD, answer(planned, lambda item: written_trace("我看到一个球。", 0)), profile=free)
    assert list(outcome.rejections) == []


@settings(deadline=None)  # pandera validates each example
@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_reply_is_a_row_or_a_typed_rejection(text, finish_reason):
    images, objects = pictures(count=1)
    item = next(plan_cots(images, seed_questions(images, objects, [{}]), profile=MADE, prompts=PROMPTS))
    outcome = build_cots(SHARD, answer([item], lambda _: text, finish_reason=finish_reason), profile=MADE)
    assert len(outcome.rows) + len(outcome.rejections) == 1
    validate("distilled_cots", frame("distilled_cots", list(outcome.rows)))
    validate("rejections", frame("rejections", list(outcome.rejections)))
