"""Stage 1: planning and building seed questions."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.identity import seed_of
from lgt_assets.prompts.templates import PROMPTS_FOLDER, PromptSet
from lgt_assets.schemas import frame
from lgt_assets.settings import QuestionSettings
from lgt_assets.synthesis.candidates import read_candidate
from lgt_assets.synthesis.parsing import ParsedQuestion
from lgt_assets.synthesis.questions import build_questions, plan_questions, question_columns
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, written_question

TYPES = ["Recognition", "Counting", "Spatial"]


def _plan(images, objects, **settings):
    settings = {"per_image": 6, "types": TYPES, "focus_sizes": [1, 2, 0]} | settings
    return list(plan_questions(images, objects, profile=profile(questions=settings), prompts=PROMPTS))


def _build(answered, **settings):
    return build_questions(SHARD, answered, settings=QuestionSettings(**settings))


def _number(item):
    """Place of a request among its picture's."""
    return next(
        index for index in range(99) if item.request.seed == seed_of(item.context["image_id"], "questioner", index)
    )


def _write(item, question=None):
    context = item.context
    return written_question(
        question or f"What about {_number(item)}?", ["red", "blue", "green", "black"], _number(item) % 4,
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
    outcome = _build(answer(planned, _write))
    rows = frame("seed_questions", list(outcome.rows))
    validate("seed_questions", rows)
    assert (outcome.asked, outcome.parsed, len(rows), outcome.rejections) == (12, 12, 12, [])
    for row, item in zip(outcome.rows, planned, strict=True):
        assert row["choices"][row["answer_index"]] == ["red", "blue", "green", "black"][_number(item) % 4]
        assert row["object_ids"] == item.context["object_ids"]
    assert len({tuple(row["choices"]) for row in outcome.rows}) > 1
    assert len(set(rows["answer_index"])) > 1


def test_ids_do_not_depend_on_other_pictures_or_on_the_order_of_rows():
    images, objects = pictures(count=3)
    rows = list(_build(answer(_plan(images, objects), _write)).rows)
    alone = _build(answer(_plan(images.slice(1, 1), objects.reverse()), _write)).rows
    assert [row["question_id"] for row in alone] == [row["question_id"] for row in rows[6:12]]


def test_one_question_twice_in_a_picture_is_a_duplicate_but_not_across_pictures():
    outcome = _build(answer(_plan(*pictures()), lambda item: _write(item, "What is  **it**?")))
    assert len(outcome.rows) == 2
    assert {rejection["reason"] for rejection in outcome.rejections} == {"duplicate_question"}
    assert len({rejection["rejection_id"] for rejection in outcome.rejections}) == 10


def test_a_near_duplicate_is_rejected_whole_and_another_colour_is_kept():
    questions = {
        0: "What color is the red star?",
        1: "Which color does the red star have?",
        2: "What color is the blue star?",
    }
    planned = _plan(*pictures(count=1))
    answered = answer(planned, lambda item: _write(item, questions.get(_number(item))))
    outcome = _build(answered)
    (rejection,) = outcome.rejections
    assert (rejection["reason"], rejection["request_key"]) == ("near_duplicate", answered[1].request_key)
    candidate = read_candidate(rejection["raw"])
    assert (candidate["question"], candidate["choices"][candidate["answer_index"]]) == (questions[1], "blue")
    assert candidate["image_id"] == planned[1].context["image_id"] == rejection["parent_id"]
    assert questions[2] in {row["question"] for row in outcome.rows} and len(outcome.rows) == 5
    assert len(_build(answered, near_duplicate_similarity=None).rows) == 6


def test_each_request_takes_one_of_the_sets_prompts_and_its_hash():
    planned = _plan(*pictures(count=8))
    assert {item.context["template"] for item in planned} == set(PROMPTS.variants("questioner"))
    for item in planned:
        assert item.request.template_hash == PROMPTS.template_hash(item.context["template"])
    by_type = {(item.context["question_type"], item.context["template"]) for item in planned}
    assert len(by_type) == len(TYPES) * len(PROMPTS.variants("questioner"))


def test_a_set_with_one_prompt_is_fine():
    embedded = PromptSet(PROMPTS_FOLDER / "embedded")
    planned = list(plan_questions(*pictures(), profile=profile(), prompts=embedded))
    assert {item.request.template_hash for item in planned} == {embedded.template_hash("questioner")}


def test_the_writer_is_told_which_part_of_the_picture_a_region_is():
    planned = _plan(*pictures(count=2, objects=4), focus_sizes=["region"])
    assert {item.context["focus"] for item in planned} == {"scene"}  # all balls lie over each other: no part holds some
    images, objects = pictures(count=1, objects=4)
    objects = objects.with_columns(x0=pl.col("ordinal") * 24.0, x1=pl.col("ordinal") * 24.0 + 20)
    planned = _plan(images, objects, focus_sizes=["region"])
    assert {item.context["focus"] for item in planned} == {"region"}
    assert any("Focus: the left half of the picture: ball 0 [0, 2, 20, 40]; ball 1" in item.request.messages[0].text
               for item in planned)  # fmt: skip


@pytest.mark.parametrize(("reply", "reason"), [
    ("Sorry, I cannot.", "no_question"),
    (written_question("Which?", ["red", "Red"], 0), "duplicate_choices"),
    (written_question("Which?", ["red", "blue", "green"], 0).replace("(A)</answer>", "pink</answer>"), "answer_not_a_choice"),
    (written_question("Which?", ["red"], 0), "too_few_choices"),
    (written_question("Which?", ["red", "blue", "green"], 0)[:-40], "cut_off"),
])  # fmt: skip
def test_a_faulty_reply_is_rejected_with_its_reason_and_text_and_the_others_are_kept(reply, reason):
    planned = _plan(*pictures())
    outcome = _build(answer(planned, lambda item: reply if item is planned[3] else _write(item)))
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert (
        outcome.rejections[0]["raw"] in reply and outcome.rejections[0]["parent_id"] == planned[3].context["image_id"]
    )
    assert (outcome.asked, outcome.parsed, len(outcome.rows)) == (12, 11, 11)
    validate("rejections", frame("rejections", list(outcome.rejections)))


def test_a_reply_that_ran_out_of_length_loses_its_last_question_only():
    (first, *_) = planned = _plan(*pictures(count=1))
    text = _write(first) + _write(planned[1]).removesuffix("</type>")
    outcome = _build(answer([first], lambda _: text, finish_reason="length"))
    assert [row["question"] for row in outcome.rows] == ["What about 0?"]
    assert [rejection["reason"] for rejection in outcome.rejections] == ["cut_off"]


@settings(deadline=None)
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
