"""Votes: orders of choices, rates, thresholds."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.synthesis.votes import (
    Bound,
    first_broken,
    lowest_share_wrong,
    order_shown,
    plan_votes,
    share_right,
    told,
    vote_of,
    with_votes,
)
from lgt_assets_tests.rows import image_row, question_row
from lgt_assets_tests.synthesis.made import PROMPTS, answer, profile, written_trace

ROW = question_row(image_row(), [], choices=["red", "green", "blue", "black"], answer_index=2)


def _planned(votes=8, check="blindness", row=ROW, **options):
    return list(plan_votes(row, check, votes, told(), profile=profile(), prompts=PROMPTS, **options))


@settings(deadline=None)
@given(st.text(max_size=5), st.integers(2, 10), st.integers(0, 3))
def test_in_each_round_every_choice_stands_once_in_every_place(question_id, choices, turn):
    orders = [order_shown(question_id, "support", None, turn * choices + vote, choices) for vote in range(choices)]
    assert all(sorted(order) == list(range(choices)) for order in orders)
    assert all(sorted(column) == list(range(choices)) for column in zip(*orders, strict=True))


def test_a_vote_shows_its_own_order_and_is_kept_in_the_questions():
    planned = _planned()
    assert len({tuple(item.context["choices_shown"]) for item in planned}) >= 4
    for item in planned:
        shown = item.context["choices_shown"]
        listed = "\n".join(f"({'ABCD'[index]}) {choice}" for index, choice in enumerate(shown))
        assert listed in item.request.messages[0].text
        for position, choice in enumerate(shown):
            (answered,) = answer([item], lambda _, position=position: written_trace("So.", position))
            vote = vote_of(answered)
            assert ROW["choices"][vote["answer_index"]] == choice
            assert vote["correct"] == (choice == "blue")


def test_a_verifier_that_likes_a_letter_is_right_once_in_four():
    votes = [vote_of(answered) for answered in answer(_planned(4), lambda _: written_trace("So.", 0))]
    assert share_right(votes, "blindness") == 0.25


def test_votes_of_different_checks_parents_and_numbers_are_different_requests():
    seeds = [item.request.seed for options in (
        {"check": "blindness"}, {"check": "necessity", "withheld_id": "q1"}, {"check": "necessity", "withheld_id": "q2"},
    ) for item in _planned(4, **options)]  # fmt: skip
    assert len(set(seeds)) == 12
    assert _planned(8)[:4] == _planned(4)


@pytest.mark.parametrize("text", ["", "I cannot tell.", "<answer>(J)</answer>", "<think> it is (B)"])
def test_a_vote_that_names_no_choice_is_null_and_not_right(text):
    (answered,) = answer(_planned(1), lambda _: text)
    assert (vote_of(answered)["answer_index"], vote_of(answered)["correct"]) == (None, False)


def test_rows_get_their_own_votes_and_some_none():
    rows = [question_row(image_row(), [], number) for number in range(3)]
    planned = [item for row in (rows[0], rows[2]) for item in _planned(2, row=row)]
    answered = answer(planned, lambda _: written_trace("So.", 0))
    assert [len(votes) for _, votes in with_votes(rows, iter(answered))] == [2, 0, 2]


def test_necessity_is_that_of_the_parent_least_needed():
    def votes(parent, right, wrong):
        return [{"check": "necessity", "withheld_id": parent, "correct": n < right} for n in range(right + wrong)]

    assert lowest_share_wrong(votes("a", 0, 4) + votes("b", 3, 1), "necessity") == 0.25
    assert lowest_share_wrong(votes("a", 4, 1), "necessity") == 0.2
    assert lowest_share_wrong([], "necessity") is None and share_right([], "support") is None


def test_the_first_broken_bound_names_the_reason_and_all_are_told():
    bounds = (Bound("support", "not_supported", minimum=0.5), Bound("blindness", "answerable_blind", maximum=0.5))
    assert first_broken(bounds, {"support": 0.5, "blindness": 0.5}) is None
    assert first_broken(bounds, {"support": 1.0, "blindness": 0.75})[0] == "answerable_blind"
    reason, detail = first_broken(bounds, {"support": 0.25, "blindness": 1.0})
    assert reason == "not_supported" and "support 0.25" in detail and "blindness 1" in detail


def test_what_was_asked_and_not_answered_is_not_verified_and_what_is_off_passes():
    for on, reason in ((True, "not_verified"), (False, None)):
        refused = first_broken([Bound("support", "not_supported", minimum=0.5, on=on)], {"support": None})
        assert (refused and refused[0]) == reason


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_a_share_is_a_count(right):
    votes = [{"check": "support", "withheld_id": None, "correct": value} for value in right]
    assert share_right(votes, "support") == Counter(right)[True] / len(right)
