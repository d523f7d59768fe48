"""The verifier's votes on what a trace comes to."""

from types import MappingProxyType

import polars as pl
import pytest

from lgt_assets.schemas import frame
from lgt_assets.synthesis.consistency import apply_consistency, plan_consistency
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.shown import show
from lgt_assets.validation import validate
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.synthesis.made import PROMPTS, answer, profile

MADE = profile(expand={"consistency_votes": 2, "minimum_consistency": 0.5})
OFF = profile(expand={"consistency_votes": 0})


@pytest.fixture
def tables(tmp_path):
    store = write_made_tables(tmp_path)
    traces, questions = store.read("expanded_traces").to_dicts(), store.read("composed_questions")
    candidates = Outcome(
        rows=[traces[0] | {"trace_id": f"{traces[0]['trace_id'][:-1]}{n}"} for n in range(3)], asked=3, parsed=3
    )
    return candidates, questions


def _apply(tables, said, made=MADE):
    candidates, questions = tables
    planned = list(plan_consistency(candidates, questions, profile=made, prompts=PROMPTS))
    return planned, apply_consistency(candidates, iter(answer(planned, said)), profile=made)


def test_the_thought_is_shown_with_the_choices_in_its_own_order_and_without_its_answer(tables):
    planned, _ = _apply(tables, lambda _: "<answer>none</answer>")
    question, row = tables[1].row(0, named=True), tables[0].rows[0]
    choices = show(question, MADE.distill.answer_formats).choices
    text = planned[0].request.messages[0].text
    assert row["thought"] in text and "\n".join(f"({'ABCD'[i]}) {c}" for i, c in enumerate(choices)) in text
    assert "<answer>" not in text.partition("The thought:")[2]
    assert len(planned) == 6 and len({item.request.seed for item in planned}) == 6


def test_a_trace_that_is_read_otherwise_is_rejected_with_its_measure(tables):
    bad = tables[0].rows[1]["trace_id"]

    def said(item):
        own = "ABCD"[item.context["answer_index"]]
        wrong = "none" if item.request.sample_index else "ABCD"[(item.context["answer_index"] + 1) % 4]
        return f"<think> It is so. </think><answer>{wrong if item.context['trace_id'] == bad else f'({own})'}</answer>"

    _, outcome = _apply(tables, said)
    assert [row["consistency"] for row in outcome.rows] == [1.0, 1.0] and [row["ordinal"] for row in outcome.rows] == [
        0,
        1,
    ]
    assert all(
        len(row["votes"]) == 2 and {vote["check"] for vote in row["votes"]} == {"consistency"} for row in outcome.rows
    )
    validate("expanded_traces", frame("expanded_traces", list(outcome.rows)))
    (rejection,) = outcome.rejections
    assert (rejection["reason"], rejection["measures"]) == (
        "inconsistent_by_verifier", [{"name": "consistency", "value": 0.0}],
    )  # fmt: skip
    validate("rejections", frame("rejections", list(outcome.rejections)))


def test_one_vote_of_two_suffices_at_the_threshold(tables):
    def said(item):
        return f"<answer>({'ABCD'[item.context['answer_index']]})</answer>" if item.request.sample_index else "Hm."

    _, outcome = _apply(tables, said)
    assert [row["consistency"] for row in outcome.rows] == [0.5] * 3
    strict = profile(expand={"consistency_votes": 2, "minimum_consistency": 0.6})
    assert len(_apply(tables, said, strict)[1].rejections) == 3


def test_switched_off_nothing_is_asked_and_nothing_measured(tables):
    planned, outcome = _apply(tables, None, OFF)
    assert planned == [] and [row["consistency"] for row in outcome.rows] == [None] * 3
    assert (outcome.asked, outcome.parsed) == (3, 3)


def test_the_candidates_are_left_as_they_are(tables):
    before = [MappingProxyType(dict(row)) for row in tables[0].rows]
    _apply(tables, lambda _: "<answer>none</answer>")
    assert [dict(row) for row in before] == tables[0].rows and tables[0].rejections == []


def test_votes_that_failed_are_left_out_and_shift_nothing(tables):
    candidates, questions = tables
    planned = list(plan_consistency(candidates, questions, profile=MADE, prompts=PROMPTS))
    own = answer(planned, lambda item: f"<answer>({'ABCD'[item.context['answer_index']]})</answer>")
    outcome = apply_consistency(candidates, iter([own[0], *own[4:]]), profile=MADE)
    assert [(row["consistency"], len(row["votes"])) for row in outcome.rows] == [(1.0, 1), (None, 0), (1.0, 2)]


def test_none_names_no_choice_even_where_a_choice_says_none(tables):
    candidates, questions = tables
    choices = pl.Series([["none", *choices[1:]] for choices in questions["choices"]])
    planned = list(plan_consistency(candidates, questions.with_columns(choices=choices), profile=MADE, prompts=PROMPTS))
    assert "none" in planned[0].context["choices"]
    outcome = apply_consistency(candidates, answer(planned, lambda _: "<answer>none</answer>"), profile=MADE)
    assert outcome.rows == [] and len(outcome.rejections) == 3
    none = "ABCD"[planned[0].context["choices"].index("none")]
    voted = apply_consistency(
        candidates,
        answer(planned, lambda _: f"<answer>({none})</answer>"),
        profile=profile(expand={"minimum_consistency": 0.0}),
    )
    assert {vote["answer_index"] for row in voted.rows for vote in row["votes"]} == {"ABCD".index(none)}
