"""Stage 2: groups of parents, candidates."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.identity import random_of
from lgt_assets.schemas import frame
from lgt_assets.settings import QuestionSettings
from lgt_assets.synthesis.candidates import read_candidate
from lgt_assets.synthesis.compose import build_compositions, plan_compositions
from lgt_assets.synthesis.composition_kinds import choose_groups, differ, kinds_from_answers, kinds_from_scene_grammar
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD, image_row, question_row
from lgt_assets_tests.synthesis.made import (
    PROMPTS,
    answer,
    pictures,
    profile,
    seed_questions,
    written_question,
)

NUMBERS = ["1", "2", "3", "4"]
PARENTS = [
    {"question": "What color is the star?", "about": [0]},
    {"question": "How many red balls are there?", "choices": NUMBERS, "answer_index": 1,
     "question_type": "Counting", "about": [1]},
    {"question": "How many dogs are there?", "choices": NUMBERS, "answer_index": 2,
     "question_type": "Counting", "about": [2]},
    {"question": "Where is the cat?", "choices": ["left", "right"], "question_type": "Spatial", "about": [2]},
]  # fmt: skip


@pytest.fixture
def tables():
    images, objects = pictures(count=1)
    return images, objects, seed_questions(images, objects, PARENTS)


def _candidates(tables, write=None, **compose):
    made = profile(compose={"per_image": 3, "parents": 2} | compose)
    planned = list(plan_compositions(*tables, profile=made, prompts=PROMPTS))
    reply = write or (lambda item: written_question(f"Which {planned.index(item)}?", ["red", "blue", "green"], 1))
    return made, planned, build_compositions(SHARD, answer(planned, reply), settings=QuestionSettings())


def test_kinds_follow_from_types_and_answers(tables):
    star, red_balls, dogs, cat = tables[2].to_dicts()
    assert kinds_from_answers([star, red_balls]) == ["bridge", "intersect", "conditional"]
    assert kinds_from_answers([red_balls, dogs]) == ["compare", "intersect", "aggregate", "conditional"]
    assert kinds_from_answers([dogs, cat]) == ["bridge", "intersect", "conditional"]
    assert kinds_from_answers([star, cat]) == ["intersect", "conditional"]


def test_the_scene_rule_knows_only_what_the_embedded_composer_knows(tables):
    images, objects, _ = tables
    rows = [
        {"question": "How many stars are there?", "choices": NUMBERS},
        {"question": "How many red objects are there?", "choices": NUMBERS},
        {"question": "Why is the sky blue?"},
    ]
    stars, red, sky = seed_questions(images, objects, rows).to_dicts()
    assert set(kinds_from_scene_grammar([stars, red])) == {"aggregate", "compare", "intersect"}
    assert kinds_from_scene_grammar([stars, sky]) == []


QUESTIONS = st.lists(
    st.tuples(st.sampled_from(["What?", "How many?", "Where?"]), st.sampled_from(["1", "2", "red"]),
              st.sampled_from(["Recognition", "Counting", "Spatial"]), st.sets(st.integers(0, 3), max_size=2)),
    max_size=7,
)  # fmt: skip


def _rows(drawn):
    image = image_row()
    return [
        question_row(image, [], number, question=f"{text} {number}", choices=[answer, "none of these"],
                     question_type=question_type, object_ids=[str(index) for index in sorted(objects)])
        for number, (text, answer, question_type, objects) in enumerate(drawn)
    ]  # fmt: skip


@settings(deadline=None)
@given(QUESTIONS, st.integers(0, 12), st.integers(2, 4))
def test_groups_differ_allow_their_kind_and_never_come_twice(drawn, count, largest):
    rows = _rows(drawn)
    groups = choose_groups(rows, count, largest, kinds_from_answers, random_of("a"))
    ids = [frozenset(row["question_id"] for row in parents) for _, parents in groups]
    assert len(set(ids)) == len(ids) <= count
    for (kind, parents), parent_ids in zip(groups, ids, strict=True):
        assert kind in kinds_from_answers(parents) and 2 <= len(parents) == len(parent_ids) <= largest
        assert differ(parents)
    pairs = sum(differ(list(pair)) for pair in itertools.combinations(rows, 2))
    assert len(groups) >= min(count, pairs)


def test_kinds_take_turns_sizes_vary_and_parents_of_other_objects_and_types_come_first(tables):
    groups = choose_groups(tables[2].to_dicts(), 11, 4, kinds_from_answers, random_of("a"))
    assert {len(parents) for _, parents in groups} == {2, 3, 4}
    assert len(groups) == 11 and {kind for kind, _ in groups} >= {"bridge", "intersect", "conditional"}
    rows = _rows(
        [("What?", "red", "Recognition", {0}), ("Where?", "red", "Recognition", {1}), ("Who?", "red", "Spatial", {2})]
    )
    for seed in range(20):
        ((_, parents),) = choose_groups(rows, 1, 2, lambda _: ["bridge"], random_of(seed))
        assert {row["question_type"] for row in parents} == {"Recognition", "Spatial"}


def test_questions_about_the_same_of_the_same_type_are_not_composed(tables):
    images, objects, _ = tables
    twins = seed_questions(images, objects, [{"about": [0]}, {"about": [0]}])
    assert list(plan_compositions(images, objects, twins, profile=profile(), prompts=PROMPTS)) == []


def test_the_composer_is_shown_the_parents_with_their_answers(tables):
    _, planned, _ = _candidates(tables)
    by_id = {row["question_id"]: row for row in tables[2].to_dicts()}
    for item in planned:
        text = item.request.messages[0].text
        assert f"Kind: {item.context['composition_kind']}" in text
        for parent_id in item.context["parent_question_ids"]:
            parent = by_id[parent_id]
            assert f"{parent['question']} Answer: {parent['choices'][parent['answer_index']]}" in text


def test_a_plan_does_not_depend_on_the_order_of_rows(tables):
    images, objects, questions = tables
    made = profile(compose={"parents": 4, "per_image": 9})
    planned = list(plan_compositions(images, objects, questions, profile=made, prompts=PROMPTS))
    shuffled = plan_compositions(images, objects.reverse(), questions.reverse(), profile=made, prompts=PROMPTS)
    assert list(shuffled) == planned and len(planned) == 9


def test_candidates_name_their_parents_and_are_valid(tables):
    _, planned, outcome = _candidates(tables)
    validate("composed_questions", frame("composed_questions", list(outcome.rows)))
    for row, item in zip(outcome.rows, planned, strict=True):
        assert row["parent_question_ids"] == item.context["parent_question_ids"]
        assert row["hops"] == len(row["parent_question_ids"]) and row["choices"][row["answer_index"]] == "blue"
        assert (row["support"], row["necessity"], row["blindness"], row["hardness"], row["votes"]) == (None,) * 4 + (
            [],
        )


def _reworded(parent):
    """Another way to ask the first parent's question, with its answer."""
    question, right = parent
    return written_question(question.replace("?", " in the picture?"), [right, "y1", "z1"], 0)


@pytest.mark.parametrize(("reply", "reason"), [
    (lambda _: "no", "no_question"),
    (lambda parent: written_question(parent[0].upper(), ["x1", "y1", "z1"], 0), "same_as_parent"),
    (_reworded, "same_as_parent"),
    (lambda _: written_question("Which 0?", ["x1", "y1", "z1"], 0), "duplicate_question"),
    (lambda _: written_question("Which 0 is there?", ["blue", "y1", "z1"], 0), "near_duplicate"),
    (lambda _: written_question("Which 9?", ["x1", "y1", "z1"], 0)[:-30], "cut_off"),
])  # fmt: skip
def test_a_faulty_candidate_is_rejected_beside_its_clean_twins(tables, reply, reason):
    _, planned, _ = _candidates(tables)
    faulty = planned[2]

    def write(item):
        number = next(n for n, other in enumerate(planned) if other.request == item.request)
        clean = written_question(f"Which {number}?", ["red", "blue", "green"], 1)
        return reply(item.context["parent_questions"][0]) if number == 2 else clean

    _, _, outcome = _candidates(tables, write)
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert outcome.rejections[0]["parent_id"] == faulty.context["parent_question_ids"][0]
    assert (read_candidate(outcome.rejections[0]["raw"]) is None) == (reason in ("no_question", "cut_off"))
    assert len(outcome.rows) == len(planned) - 1


def test_only_the_first_question_of_a_reply_is_kept(tables):
    double = written_question("Which?", ["x1", "y1", "z1"], 0) + written_question("Who?", ["x1", "y1", "z1"], 0)
    _, _, outcome = _candidates(tables, lambda _: double, per_image=1)
    assert [row["question"] for row in outcome.rows] == ["Which?"]
    assert [rejection["reason"] for rejection in outcome.rejections] == ["extra_question"]
