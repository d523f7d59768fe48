"""Judgments of behaviours on a sample."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.schemas import frame
from lgt_assets.synthesis.behaviour_judgments import (
    apply_behaviour_judgments,
    parse_behaviours,
    plan_behaviour_judgments,
)
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.validation import validate
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.synthesis.made import PROMPTS, answer, profile

MADE = profile(expand={"behaviour_sample": 3})


@pytest.mark.parametrize(("text", "behaviours"), [
    ("<answer>subgoal_setting, verification</answer>", {"subgoal_setting", "verification"}),
    ("<think> It looks again. </think><answer>Verification and back-tracking.</answer>", {"verification", "backtracking"}),
    ("<answer>**Backtracking**</answer>", {"backtracking"}),
    ("<answer>Subgoal setting and verification</answer>", {"subgoal_setting", "verification"}),
    ("<answer>subgoal-setting: yes; backtracking: no; verification: yes</answer>", {"subgoal_setting", "verification"}),
    ("<answer>none</answer>", set()),
    ("None.", set()),
    ("<answer>subgoal_setting", None),
    ("<answer>dancing</answer>", None),
    ("<answer>verification, dancing</answer>", None),
    ("<answer></answer>", None),
    ("I think that it verifies a lot.", None),
])  # fmt: skip
def test_a_judgment_is_read_or_not(text, behaviours):
    assert parse_behaviours(text) == behaviours


@given(st.text())
def test_any_text_gives_behaviours_or_none(text):
    read = parse_behaviours(text)
    assert read is None or read <= {"subgoal_setting", "backtracking", "verification"}


@pytest.fixture
def outcome(tmp_path):
    trace = write_made_tables(tmp_path).read("expanded_traces").row(0, named=True)
    rows = [trace | {"trace_id": f"{trace['trace_id'][:-1]}{n}", "ordinal": n} for n in range(8)]
    return Outcome(rows=rows, asked=9, parsed=8)


def test_a_sample_drawn_by_hash_is_judged_and_the_rest_is_not(outcome):
    planned = list(plan_behaviour_judgments(outcome, profile=MADE, prompts=PROMPTS))
    turned = Outcome(rows=list(outcome.rows)[::-1])
    again = list(plan_behaviour_judgments(turned, profile=MADE, prompts=PROMPTS))
    assert {item.context["trace_id"] for item in planned} == {item.context["trace_id"] for item in again}
    assert len(planned) == 3 and outcome.rows[0]["thought"] in planned[0].request.messages[0].text
    replies = dict(zip((item.context["trace_id"] for item in planned), ("verification", "none", "hm"), strict=True))
    judged = apply_behaviour_judgments(
        outcome, iter(answer(planned, lambda item: f"<answer>{replies[item.context['trace_id']]}</answer>"))
    )
    table = frame("expanded_traces", list(judged.rows))
    validate("expanded_traces", table)
    by_id = {row["trace_id"]: row["judged_behaviours"] for row in judged.rows}
    assert [by_id[key] and by_id[key]["verification"] for key in replies] == [True, False, None]
    assert sum(value is None for value in by_id.values()) == 5 and (judged.asked, judged.parsed) == (9, 8)
    assert table["judged_behaviours"].null_count() == 5


def test_a_sample_of_none_asks_nothing(outcome):
    off = profile(expand={"behaviour_sample": 0})
    assert list(plan_behaviour_judgments(outcome, profile=off, prompts=PROMPTS)) == []
    assert [row["judged_behaviours"] for row in apply_behaviour_judgments(outcome, []).rows] == [None] * 8
