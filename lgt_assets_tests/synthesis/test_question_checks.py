"""Checks of seed questions: votes on keys, blind votes, type quotas."""

from collections import Counter

import pytest

from lgt_assets.schemas import frame
from lgt_assets.settings import QuestionSettings
from lgt_assets.synthesis.candidates import read_candidate
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.question_checks import apply_question_checks, plan_question_checks
from lgt_assets.synthesis.questions import build_questions, plan_questions
from lgt_assets.validation import validate
from lgt_assets_tests.rows import SHARD
from lgt_assets_tests.synthesis.made import PROMPTS, answer, pictures, profile, written_question, written_trace

CHOICES = ["red", "green", "blue", "black"]
TABLES = pictures(count=2)


def _candidates(types=("Recognition", "Counting", "Spatial", "Comparison")):
    """Four candidates for each of two pictures."""
    planned = plan_questions(*TABLES, profile=profile(questions={"per_image": 4}), prompts=PROMPTS)
    texts = iter([written_question(f"What of {n}?", CHOICES, n % 4, types[n % 4]) for n in range(8)])
    settings = QuestionSettings()
    return build_questions(SHARD, answer(list(planned), lambda _: next(texts)), settings=settings)


def _checked(candidates, vote=lambda context: context["check"] == "key_agreement", **settings):
    """The candidates after votes; ``vote`` says whether a vote is right."""
    made = profile(questions=settings)
    planned = plan_question_checks(candidates, *TABLES, profile=made, prompts=PROMPTS)

    def write(item):
        right = item.context["order"].index(item.context["answer_index"])
        return written_trace("So.", right if vote(item.context) else (right + 1) % 4)

    return apply_question_checks(candidates, answer(list(planned), write), settings=made.questions)


def test_keys_are_voted_on_with_all_facts_and_blindness_with_none():
    planned = list(plan_question_checks(_candidates(), *TABLES, profile=profile(), prompts=PROMPTS))
    assert Counter(item.context["check"] for item in planned) == {"key_agreement": 8, "blindness": 32}
    for item in planned:
        text = item.request.messages[0].text
        told = [word in text for word in ("balls on grass", "ball 2", "from the facts below")]
        assert told == [item.context["check"] == "key_agreement"] * 3
        assert "Known" not in text and item.request.messages[0].images == ()


def test_votes_become_rates_and_rows_are_valid():
    candidates = _candidates()
    outcome = _checked(candidates)
    validate("seed_questions", frame("seed_questions", list(outcome.rows)))
    assert [(row["key_agreement"], row["blindness"], len(row["votes"])) for row in outcome.rows] == [(1.0, 0.0, 5)] * 8
    assert [row["question_id"] for row in outcome.rows] == [row["question_id"] for row in candidates.rows]
    assert (outcome.asked, outcome.parsed, outcome.rejections) == (8, 8, [])


@pytest.mark.parametrize(("check", "reason"), [("key_agreement", "key_disputed"), ("blindness", "answerable_blind")])
def test_a_candidate_that_fails_is_rejected_whole_and_its_twins_are_kept(check, reason):
    candidates = _candidates()
    faulty = candidates.rows[2]
    outcome = _checked(
        candidates,
        lambda c: (
            (c["check"] == "key_agreement") is not (c["check"] == check and c["question_id"] == faulty["question_id"])
        ),
    )
    (rejection,) = outcome.rejections
    assert (rejection["reason"], rejection["parent_id"]) == (reason, faulty["image_id"])
    assert read_candidate(rejection["raw"])["question_id"] == faulty["question_id"]
    measures = {measure["name"]: measure["value"] for measure in rejection["measures"]}
    assert measures == {"key_agreement": float(check != "key_agreement"), "blindness": float(check == "blindness")}
    assert check in rejection["detail"] and [row["ordinal"] for row in outcome.rows] == list(range(7))
    validate("rejections", frame("rejections", list(outcome.rejections)))


def test_a_candidate_whose_votes_all_failed_is_not_let_through():
    candidates, made = _candidates(), profile()
    lost = candidates.rows[1]["question_id"]
    planned = plan_question_checks(candidates, *TABLES, profile=made, prompts=PROMPTS)
    answered = answer([item for item in planned if item.context["question_id"] != lost], lambda _: "I cannot tell.")
    outcome = apply_question_checks(candidates, answered, settings=QuestionSettings(minimum_key_agreement=0))
    assert [(r["reason"], read_candidate(r["raw"])["question_id"]) for r in outcome.rejections] == [
        ("not_verified", lost)
    ]


def test_checks_can_be_switched_off():
    outcome = _checked(_candidates(), lambda _: False, key_votes=0, blindness_votes=0)
    assert [(row["key_agreement"], row["blindness"], row["votes"]) for row in outcome.rows] == [(None, None, [])] * 8


def test_chance_rejects_no_more_than_the_threshold_allows():
    def right_twice(context):
        return context["check"] == "key_agreement" or context["order"][0] == context["answer_index"]

    outcome = _checked(_candidates(), right_twice, blindness_votes=4, maximum_blindness=0.25)
    assert [row["blindness"] for row in outcome.rows] == [0.25] * 8


def test_quotas_count_accepted_rows_of_each_picture():
    candidates = _candidates(types=("Counting", "Counting", "Counting", "Spatial"))
    outcome = _checked(candidates)
    assert [row["question_type"] for row in outcome.rows] == ["Counting", "Counting", "Spatial"] * 2
    assert [rejection["reason"] for rejection in outcome.rejections] == ["over_quota"] * 2
    disputed = candidates.rows[0]["question_id"]
    outcome = _checked(candidates, lambda c: c["check"] == "key_agreement" and c["question_id"] != disputed)
    assert [row["question_type"] for row in outcome.rows] == ["Counting", "Counting", "Spatial"] * 2
    assert [rejection["reason"] for rejection in outcome.rejections] == ["key_disputed", "over_quota"]
    assert len(_checked(candidates, maximum_type_share=1.0).rows) == 8


def test_what_was_rejected_before_stays_rejected():
    before = Outcome(asked=1)
    before.reject(SHARD, "seed_questions", "no_question", request_key=None, parent_id=None, raw="Sorry")
    outcome = _checked(before)
    assert ([r["reason"] for r in outcome.rejections], outcome.asked, outcome.parsed) == (["no_question"], 1, 0)
