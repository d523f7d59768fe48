"""Checks of composed questions: votes with all, nothing, or all parents but one; and how hard they are."""

from collections import Counter

import pytest

from lgt_assets.schemas import frame
from lgt_assets.settings import ComposeSettings, QuestionSettings
from lgt_assets.synthesis.candidates import read_candidate
from lgt_assets.synthesis.compose import build_compositions, plan_compositions
from lgt_assets.synthesis.distill import plan_cots
from lgt_assets.synthesis.hardness import apply_hardness, pass_rates, plan_hardness
from lgt_assets.synthesis.verify import apply_verification, plan_verification
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

PARENTS = [
    {"question": "What color is the star?", "about": [0], "choices": ["mauve", "red"]},
    {"question": "How many dogs are there?", "choices": ["1", "29"], "answer_index": 1, "question_type": "Counting",
     "about": [1]},
    {"question": "Where is the cat?", "choices": ["indoors", "away"], "question_type": "Spatial", "about": [2]},
]  # fmt: skip
ANSWERS = ["mauve", "29", "indoors"]
IMAGES, OBJECTS = pictures(count=1)
TABLES = IMAGES, OBJECTS, seed_questions(IMAGES, OBJECTS, PARENTS)


def _candidates(**compose):
    made = profile(compose={"per_image": 4, "parents": 3} | compose)
    planned = list(plan_compositions(*TABLES, profile=made, prompts=PROMPTS))
    texts = iter([written_question(f"Which {n}?", ["a1", "b2", "c3", "d4"], n) for n in range(4)])
    return made, build_compositions(SHARD, answer(planned, lambda _: next(texts)), settings=QuestionSettings())


def _verified(right=lambda context: context["check"] == "support", **compose):
    """Candidates before and after votes; ``right`` says whether a vote is right."""
    made, candidates = _candidates(**compose)
    planned = list(plan_verification(candidates, *TABLES, profile=made, prompts=PROMPTS))

    def write(item):
        place = item.context["order"].index(item.context["answer_index"])
        return written_trace("So.", place if right(item.context) else (place + 1) % 4)

    return candidates, apply_verification(candidates, answer(planned, write), settings=made.compose)


def test_support_sees_all_blindness_nothing_and_necessity_all_parents_but_one():
    made, candidates = _candidates(support_votes=1, blindness_votes=2, necessity_votes=3)
    planned = list(plan_verification(candidates, *TABLES, profile=made, prompts=PROMPTS))
    hops = sum(row["hops"] for row in candidates.rows)
    assert Counter(item.context["check"] for item in planned) == {"support": 4, "blindness": 8, "necessity": 3 * hops}
    by_id = {row["question_id"]: row for row in candidates.rows}
    answers = dict(zip(TABLES[2]["question_id"], ANSWERS, strict=True))
    for item in planned:
        text, check = item.request.messages[0].text, item.context["check"]
        parents = by_id[item.context["question_id"]]["parent_question_ids"]
        told = {answers[parent] for parent in parents if answers[parent] in text}
        known = {
            "support": set(parents), "blindness": set(), "necessity": set(parents) - {item.context["withheld_id"]},
        }[check]  # fmt: skip
        assert told == {answers[parent] for parent in known}
        assert ("balls on grass" in text, "ball 2" in text) == (check == "support", False)
        assert item.request.messages[0].images == ()
    assert any(len(by_id[item.context["question_id"]]["parent_question_ids"]) == 3 for item in planned)


def test_votes_become_rates_and_rows_are_valid():
    candidates, outcome = _verified(blindness_votes=2, necessity_votes=2)
    validate("composed_questions", frame("composed_questions", list(outcome.rows)))
    assert [(row["support"], row["necessity"], row["blindness"]) for row in outcome.rows] == [(1.0, 1.0, 0.0)] * 4
    for row in outcome.rows:
        withheld = Counter(vote["withheld_id"] for vote in row["votes"])
        assert withheld == {None: 3} | dict.fromkeys(row["parent_question_ids"], 2)
    assert candidates.rows[0]["votes"] == [] and outcome.rejections == []


@pytest.mark.parametrize(("fault", "reason"), [
    ("support", "not_supported"), ("blindness", "answerable_blind"), ("necessity", "not_necessary"),
])  # fmt: skip
def test_a_candidate_that_fails_a_check_is_rejected_whole_and_its_twins_are_kept(fault, reason):
    faulty = _candidates()[1].rows[1]

    def right(context):
        broken = context["question_id"] == faulty["question_id"] and context["check"] == fault
        broken = broken and context["withheld_id"] in (None, faulty["parent_question_ids"][-1])
        return (context["check"] == "support") is not broken

    _, outcome = _verified(right)
    (rejection,) = outcome.rejections
    assert (rejection["reason"], rejection["parent_id"]) == (reason, faulty["parent_question_ids"][0])
    assert read_candidate(rejection["raw"])["question_id"] == faulty["question_id"] and fault in rejection["detail"]
    measures = {measure["name"]: measure["value"] for measure in rejection["measures"]}
    assert measures == {"support": 1.0, "blindness": 0.0, "necessity": 1.0} | {fault: float(fault == "blindness")}
    assert [row["ordinal"] for row in outcome.rows] == [0, 1, 2]


def test_what_is_solved_blind_is_named_so_though_no_parent_is_needed_either():
    _, outcome = _verified(lambda _: True)
    assert {rejection["reason"] for rejection in outcome.rejections} == {"answerable_blind"}
    assert all("necessity" in rejection["detail"] for rejection in outcome.rejections)


def test_checks_can_be_switched_off():
    _, outcome = _verified(lambda _: True, support_votes=0, blindness_votes=0, necessity_votes=0)
    assert [(row["support"], row["blindness"], row["necessity"]) for row in outcome.rows] == [(None,) * 3] * 4


def test_votes_without_an_answer_support_nothing():
    made, candidates = _candidates()
    planned = list(plan_verification(candidates, *TABLES, profile=made, prompts=PROMPTS))
    outcome = apply_verification(candidates, answer(planned, lambda _: "I cannot tell."), settings=made.compose)
    assert [rejection["reason"] for rejection in outcome.rejections] == ["not_supported"] * 4


def _samples(right, **compose):
    """Verified candidates with samples, of which ``right`` (of a question_id) of four are right and one is cut off."""
    made, _ = _candidates(**compose)
    made = made.model_copy(update={"distill": made.distill.model_copy(update={"samples": 4})})
    _, verified = _verified(**compose)
    planned = list(plan_hardness(verified, IMAGES, TABLES[2], profile=made, prompts=PROMPTS))

    def write(item):
        context = item.context
        index, count = context["right_index"], len(context["choices_shown"])
        if context["sample_index"] == 3:
            return "<think> I look and"
        return written_trace(
            "I see.", index if context["sample_index"] < right(context["question_id"]) else (index + 1) % count
        )

    return made, verified, answer(planned, write)


def test_hardness_asks_just_what_distilled_cots_asks_later():
    made, verified, samples = _samples(lambda _: 2)
    candidates = frame("composed_questions", list(verified.rows))
    shared = [name for name in TABLES[2].columns if name in candidates.columns]
    questions = TABLES[2].select(shared).vstack(candidates.select(shared))
    later = {item.request for item in plan_cots(IMAGES, questions, profile=made, prompts=PROMPTS)}
    asked = [item.request for item in plan_hardness(verified, IMAGES, TABLES[2], profile=made, prompts=PROMPTS)]
    assert set(asked) == later and len(asked) == 4 * (3 + 4)
    assert len(samples) == len(asked)


def test_hardness_is_the_parents_mean_less_the_questions_own_and_the_unreadable_is_not_right():
    parents = dict(zip(TABLES[2]["question_id"], [3, 2, 1], strict=True))
    made, verified, samples = _samples(lambda question_id: parents.get(question_id, 1))
    assert pass_rates(samples)[verified.rows[0]["question_id"]] == 0.25
    outcome = apply_hardness(verified, samples, settings=made.compose)
    validate("composed_questions", frame("composed_questions", list(outcome.rows)))
    for row in outcome.rows:
        mean = sum(parents[parent] / 4 for parent in row["parent_question_ids"]) / row["hops"]
        assert row["hardness"] == pytest.approx(mean - 0.25)
    assert outcome.rejections == [] and verified.rows[0]["hardness"] is None


def test_what_is_no_harder_than_its_parents_is_rejected_where_that_is_asked_for():
    made, verified, _ = _samples(lambda _: 1)
    easy = verified.rows[2]["question_id"]
    made, verified, samples = _samples(
        lambda question_id: 3 if question_id == easy else 0 if question_id[0] == "c" else 2
    )
    assert len(apply_hardness(verified, samples, settings=made.compose).rows) == 4
    outcome = apply_hardness(verified, samples, settings=ComposeSettings(minimum_hardness=0.1))
    (rejection,) = outcome.rejections
    assert rejection["reason"] == "not_harder" and read_candidate(rejection["raw"])["question_id"] == easy
    measures = {measure["name"]: measure["value"] for measure in rejection["measures"]}
    assert measures == {
        "support": 1.0, "blindness": 0.0, "necessity": 1.0, "hardness": -0.25, "pass_rate": 0.75, "parents_pass_rate": 0.5,
    }  # fmt: skip
    assert [row["ordinal"] for row in outcome.rows] == [0, 1, 2]


def test_a_question_whose_samples_all_failed_has_no_hardness():
    made, verified, samples = _samples(lambda _: 1)
    lost = verified.rows[0]["question_id"]
    left = [answered for answered in samples if answered.context["question_id"] != lost]
    assert [row["hardness"] is None for row in apply_hardness(verified, left, settings=made.compose).rows] == [True] + [
        False
    ] * 3
    (rejection,) = apply_hardness(verified, left, settings=ComposeSettings(minimum_hardness=-1)).rejections
    assert rejection["reason"] == "not_verified"


def test_hardness_can_be_switched_off():
    made, verified, samples = _samples(lambda _: 1, measure_hardness=False)
    assert samples == []
    assert [row["hardness"] for row in apply_hardness(verified, samples, settings=made.compose).rows] == [None] * 4
    with pytest.raises(ValueError, match="needs measure_hardness"):
        ComposeSettings(measure_hardness=False, minimum_hardness=0.1)
