"""Stage 2: groups of parents, candidates, votes."""

from collections import Counter

import pytest

from lgt_assets.identity import random_of
from lgt_assets.row_model import COMPOSITION_KINDS
from lgt_assets.schemas import frame
from lgt_assets.synthesis.compose import apply_verification, build_compositions, plan_compositions, plan_verification
from lgt_assets.synthesis.composition_kinds import choose_groups, kinds_from_answers, kinds_from_scene_grammar
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import (
    PROMPTS,
    answer,
    pictures,
    profile,
    seed_questions,
    written_question,
    written_trace,
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
    planned = plan_compositions(*tables, profile=made, prompts=PROMPTS)
    reply = write or (lambda item: written_question(f"Which {item.context['position']}?", ["red", "blue", "green"], 1))
    return made, planned, build_compositions(SHARD, answer(planned, reply))


def _verified(tables, votes, **compose):
    """Candidates after votes: what the verifier picks (an index) by check."""
    made, _, candidates = _candidates(tables, **compose)
    planned = plan_verification(candidates, *tables, profile=made, prompts=PROMPTS)
    answered = answer(planned, lambda item: written_trace("So.", votes(item.context)))
    return apply_verification(candidates, answered, profile=made)


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


def test_groups_differ_take_turns_in_kind_and_allow_their_kind(tables):
    rows = tables[2].to_dicts()
    groups = choose_groups(rows, 6, 3, kinds_from_answers, random_of("a"))
    assert len({frozenset(row["question_id"] for row in parents) for _, parents in groups}) == len(groups) >= 4
    assert all(kind in kinds_from_answers(parents) for kind, parents in groups)
    assert {len(parents) for _, parents in groups} <= {2, 3}
    assert max(Counter(kind for kind, _ in groups).values()) <= 3
    assert {kind for kind, _ in groups} <= set(COMPOSITION_KINDS)


def test_questions_about_the_same_of_the_same_type_are_not_composed(tables):
    images, objects, _ = tables
    twins = seed_questions(images, objects, [{"about": [0]}, {"about": [0]}])
    assert plan_compositions(images, objects, twins, profile=profile(), prompts=PROMPTS) == []


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
    planned = plan_compositions(images, objects, questions, profile=profile(), prompts=PROMPTS)
    assert (
        plan_compositions(images, objects.reverse(), questions.reverse(), profile=profile(), prompts=PROMPTS) == planned
    )


def test_candidates_name_their_parents_and_are_valid(tables):
    _, planned, outcome = _candidates(tables)
    validate("composed_questions", frame("composed_questions", outcome.rows))
    for row, item in zip(outcome.rows, planned, strict=True):
        assert row["parent_question_ids"] == item.context["parent_question_ids"]
        assert row["hops"] == len(row["parent_question_ids"]) and row["choices"][row["answer_index"]] == "blue"
        assert (row["support"], row["necessity"], row["blindness"], row["hardness"], row["votes"]) == (None,) * 4 + (
            [],
        )


@pytest.mark.parametrize(("reply", "reason"), [
    ("no", "no_question"),
    (written_question("where is the cat", ["x1", "y1"], 0), "same_as_parent"),
    (written_question("Which 0?", ["x1", "y1"], 0), "duplicate_question"),
    (written_question("Which 9?", ["x1", "y1"], 0)[:-30], "cut_off"),
])  # fmt: skip
def test_a_faulty_candidate_is_rejected_beside_its_clean_twins(tables, reply, reason):
    def write(item):
        faulty = item.context["position"] == faulty_position
        return reply if faulty else written_question(f"Which {item.context['position']}?", ["red", "blue"], 1)

    _, planned, _ = _candidates(tables)
    faulty_position = max(
        i for i, item in enumerate(planned) if "Where is the cat?" in item.context["parent_questions"]
    )
    assert faulty_position > 0
    _, _, outcome = _candidates(tables, write)
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert len(outcome.rows) == len(planned) - 1


def test_only_the_first_question_of_a_reply_is_kept(tables):
    double = written_question("Which?", ["x1", "y1"], 0) + written_question("Who?", ["x1", "y1"], 0)
    _, _, outcome = _candidates(tables, lambda _: double, per_image=1)
    assert [row["question"] for row in outcome.rows] == ["Which?"]
    assert [rejection["reason"] for rejection in outcome.rejections] == ["extra_question"]


def test_support_is_asked_with_all_facts_and_blindness_with_none(tables):
    made, _, candidates = _candidates(tables)
    planned = plan_verification(candidates, *tables, profile=made, prompts=PROMPTS)
    assert Counter(item.context["check"] for item in planned) == {"support": 3, "blindness": 3}
    support, blindness = (next(i for i in planned if i.context["check"] == check) for check in ("support", "blindness"))
    assert "Caption 0: balls on grass." in support.request.messages[0].text
    assert "Known: " in support.request.messages[0].text and "ball 2" in support.request.messages[0].text
    assert not any(word in blindness.request.messages[0].text for word in ("Caption", "Known", "Objects", "grass"))
    assert all(message.images == () for item in planned for message in item.request.messages)


def test_votes_become_rates(tables):
    outcome = _verified(
        tables,
        lambda c: c["answer_index"] if c["check"] == "support" else (c["answer_index"] + 1) % 3,
        blindness_votes=2,
    )
    validate("composed_questions", frame("composed_questions", outcome.rows))
    assert [(row["support"], row["blindness"], len(row["votes"])) for row in outcome.rows] == [(1.0, 0.0, 3)] * 3
    assert outcome.rejections == []


@pytest.mark.parametrize(("fault", "reason"), [("support", "not_supported"), ("blindness", "answerable_blind")])
def test_a_candidate_that_fails_a_check_is_rejected_and_its_twins_are_kept(tables, fault, reason):
    _, _, candidates = _candidates(tables)
    faulty = candidates.rows[1]["question_id"]

    def vote(context):
        right = (context["check"] == "support") is not (context["question_id"] == faulty and context["check"] == fault)
        return context["answer_index"] if right else (context["answer_index"] + 1) % 3

    outcome = _verified(tables, vote, maximum_blindness=0.5)
    assert [rejection["reason"] for rejection in outcome.rejections] == [reason]
    assert faulty in outcome.rejections[0]["detail"]
    assert [row["ordinal"] for row in outcome.rows] == [0, 1]
    assert faulty not in {row["question_id"] for row in outcome.rows}


def test_checks_can_be_switched_off(tables):
    outcome = _verified(tables, lambda context: 0, support_votes=0, blindness_votes=0)
    assert [(row["support"], row["blindness"]) for row in outcome.rows] == [(None, None)] * 3


def test_a_vote_without_an_answer_is_not_right(tables):
    made, _, candidates = _candidates(tables)
    planned = plan_verification(candidates, *tables, profile=made, prompts=PROMPTS)
    outcome = apply_verification(candidates, answer(planned, lambda _: "I cannot tell."), profile=made)
    assert [rejection["reason"] for rejection in outcome.rejections] == ["not_supported"] * 3
