"""Stage 1: planning and building seed questions."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.identity import random_of
from lgt_assets.schemas import frame
from lgt_assets.synthesis.parsing import ParsedQuestion
from lgt_assets.synthesis.questions import build_questions, plan_questions, question_columns
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, written_question

TYPES = ["Recognition", "Counting", "Spatial"]


def _plan(images, objects, **settings):
    settings = {"per_image": 6, "types": TYPES, "focus_sizes": [1, 2, 0]} | settings
    return plan_questions(images, objects, profile=profile(questions=settings), prompts=PROMPTS)


def _write(item, question=None):
    context = item.context
    return written_question(
        question or f"What about {context['position']}?", ["red", "blue", "green", "black"], context["position"] % 4,
        context["question_type"],
    )  # fmt: skip


def test_types_take_turns_and_no_type_meets_a_focus_twice():
    images, objects = pictures(count=3, objects=4)
    planned = _plan(images, objects)
    for image_id in images["image_id"]:
        own = [item.context for item in planned if item.context["image_id"] == image_id]
        assert Counter(context["question_type"] for context in own) == dict.fromkeys(TYPES, 2)
        pairs = [(context["question_type"], frozenset(context["object_ids"])) for context in own]
        assert len(set(pairs)) == len(own) == 6
        assert {len(context["object_ids"]) for context in own} <= {0, 1, 2}
    assert len({item.request.seed for item in planned}) == len(planned)


def test_a_type_may_have_focus_sizes_of_its_own():
    planned = _plan(*pictures(objects=4), focus_sizes=[1], focus_sizes_by_type={"Counting": [0], "Spatial": [2]})
    sizes = {(item.context["question_type"], len(item.context["object_ids"])) for item in planned}
    assert sizes == {("Recognition", 1), ("Counting", 0), ("Spatial", 2)}


def test_a_picture_without_objects_gets_questions_about_the_whole_scene():
    images, objects = pictures(count=1, objects=0)
    planned = _plan(images, objects)
    assert [item.context["object_ids"] for item in planned] == [[]] * 6
    assert "Focus: the whole scene" in planned[0].request.messages[0].text


def test_a_plan_depends_on_neither_the_order_of_rows_nor_on_other_pictures():
    images, objects = pictures(count=3)
    planned = _plan(images, objects)
    assert _plan(images.reverse(), objects.sample(fraction=1.0, shuffle=True, seed=1)) == planned
    alone = _plan(images.slice(1, 1), objects)
    assert [item.request for item in alone] == [item.request for item in planned[6:12]]


def test_good_replies_become_valid_rows():
    planned = _plan(*pictures())
    outcome = build_questions(SHARD, answer(planned, _write))
    rows = frame("seed_questions", outcome.rows)
    validate("seed_questions", rows)
    assert (outcome.asked, outcome.parsed, len(rows), outcome.rejections) == (12, 12, 12, [])
    for row, item in zip(outcome.rows, planned, strict=True):
        assert row["choices"][row["answer_index"]] == ["red", "blue", "green", "black"][item.context["position"] % 4]
        assert row["object_ids"] == item.context["object_ids"]
    assert len({tuple(row["choices"]) for row in outcome.rows}) > 1
    assert len(set(rows["answer_index"])) > 1


def test_rows_and_ids_do_not_depend_on_the_order_of_replies():
    answered = answer(_plan(*pictures()), _write)
    shuffled = list(answered)
    random_of("any").shuffle(shuffled)
    assert build_questions(SHARD, shuffled) == build_questions(SHARD, answered)


def test_one_question_twice_in_a_picture_is_a_duplicate_but_not_across_pictures():
    outcome = build_questions(SHARD, answer(_plan(*pictures()), lambda item: _write(item, "What is  **it**?")))
    assert len(outcome.rows) == 2
    assert {rejection["reason"] for rejection in outcome.rejections} == {"duplicate_question"}
    assert len({rejection["rejection_id"] for rejection in outcome.rejections}) == 10


@pytest.mark.parametrize(("reply", "reason"), [
    ("Sorry, I cannot.", "no_question"),
    (written_question("Which?", ["red", "Red"], 0), "duplicate_choices"),
    (written_question("Which?", ["red", "blue"], 0).replace("(A)</answer>", "pink</answer>"), "answer_not_a_choice"),
    (written_question("Which?", ["red"], 0), "too_few_choices"),
    (written_question("Which?", ["red", "blue"], 0)[:-40], "cut_off"),
])  # fmt: skip
def test_a_faulty_reply_is_rejected_with_its_reason_and_text_and_the_others_are_kept(reply, reason):
    planned = _plan(*pictures())
    outcome = build_questions(SHARD, answer(planned, lambda item: reply if item is planned[3] else _write(item)))
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert (
        outcome.rejections[0]["raw"] in reply and outcome.rejections[0]["parent_id"] == planned[3].context["image_id"]
    )
    assert (outcome.asked, outcome.parsed, len(outcome.rows)) == (12, 11, 11)
    validate("rejections", frame("rejections", outcome.rejections))


def test_a_reply_that_ran_out_of_length_loses_its_last_question_only():
    (first, *_) = planned = _plan(*pictures(count=1))
    text = _write(first) + _write(planned[1]).removesuffix("</type>")
    outcome = build_questions(SHARD, answer([first], lambda _: text, finish_reason="length"))
    assert [row["question"] for row in outcome.rows] == ["What about 0?"]
    assert [rejection["reason"] for rejection in outcome.rejections] == ["cut_off"]


@given(st.permutations(["red", "blue", "green", "black"]))
def test_the_writers_order_of_choices_changes_nothing(choices):
    columns = question_columns(
        "seed_questions", SHARD, "i", ParsedQuestion("What?", list(choices), choices.index("blue"), "T")
    )
    same = question_columns(
        "seed_questions", SHARD, "i", ParsedQuestion("What?", ["blue", "black", "red", "green"], 0, "")
    )
    assert columns == same
    assert columns["choices"][columns["answer_index"]] == "blue"
