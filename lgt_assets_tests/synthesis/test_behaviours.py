"""Cues of reasoning behaviours: what they find, and the look-alikes that they must not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.behaviours import CUES, count_behaviours

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "lpt"
SHOWN = {
    "subgoal_setting": [
        "First, I'll count the chairs on the left.",
        "To determine the color of the lid, I will look at its rim.",
        "Let's go through the options one by one.",
        "So I need to identify the animal on the rug.",
        "Next, let me compare the two towers.",
        "1. **Locate the boats:** these float near the pier.",
        "Count the red circles: there are two.",
    ],
    "backtracking": [
        "Wait, no, the lid is steel.",
        "I think I misread the sign.",
        "Hmm, perhaps I miscounted.",
        "Actually, the cat lies under the bench.",
        "That was a mistake.",
        "My first answer was wrong.",
        "On second thought it is a lake.",
        "I may have made a mistake there.",
        "Let me reconsider.",
        "I was wrong.",
        "Let me try another way, I got that wrong.",
    ],
    "verification": [
        "Let me double-check the rim.",
        "I should make sure that it is a dog.",
        "Looking again at the shelf, there are three.",
        "Upon closer inspection the lid is steel.",
        "That agrees.",
        "My first answer holds.",
        "Yes, that matches what I saw.",
        "Let me count again.",
        "So I was right.",
        "Let's double-check the details.",
        "Every object once more: a cup and a spoon.",
    ],
}
LOOK_ALIKES = {
    "subgoal_setting": [
        "The second chair stands next to the first one.",
        "If the lamp is behind, then the shadow falls forward.",
        "The first person in the row wears a hat.",
        "It says wait a second.",
        "So second is the higher one.",
        "Then there is a third plant.",
        "The next house is red.",
        "I need to be careful here.",
    ],
    "backtracking": [
        "Wait, the lamp is still on.",
        "Hmm, the lid looks like copper.",
        "People wait at the bus stop.",
        "The lid that is actually used is steel.",
        "Alternatively, it could stand on the table.",
        "The wrong way sign is red.",
        "The waiter awaits them.",
    ],
    "verification": [
        "There is not enough detail to confirm that.",
        "The one that matches is blue.",
        "The boat is on the right.",
        "A checkered cloth lies on the table.",
        "A check lies next to the bill.",
        "The lid is right above the pan.",
    ],
}


@pytest.mark.parametrize(("behaviour", "line"), [(b, line) for b, lines in SHOWN.items() for line in lines])
def test_a_cue_is_found(behaviour, line):
    assert count_behaviours(line)[behaviour] == 1


@pytest.mark.parametrize(("behaviour", "line"), [(b, line) for b, lines in LOOK_ALIKES.items() for line in lines])
def test_a_look_alike_is_not(behaviour, line):
    assert count_behaviours(line)[behaviour] == 0


def test_a_behaviour_counts_once_a_sentence_in_any_case_and_typography():
    thought = "WAIT, no, I misread it. Let’s double-check, let me look again. Then I was wrong."
    assert count_behaviours(thought) == {"subgoal_setting": 0, "backtracking": 2, "verification": 1}


def test_the_words_after_which_a_thought_is_continued_are_no_backtracking():
    for cue in ("Wait,", "Hmm,", "Alternatively,", "Let's double-check the details."):
        assert count_behaviours(f"The lid is steel. {cue} the lid is steel.")["backtracking"] == 0


@given(st.text())
def test_any_text_has_counts(text):
    counts = count_behaviours(text)
    assert set(counts) == set(CUES) and all(count >= 0 for count in counts.values())


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="../shared/reference is absent")
def test_on_recorded_texts_expansions_go_back_and_verify_more_than_simple_thoughts():
    rates = {}
    for name in ("vlm_cots", "reasoner_expansions"):
        lines = (REFERENCE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        counts = [count_behaviours(text) for line in lines for text in json.loads(line)["completions"]]
        rates[name] = {b: sum(count[b] > 0 for count in counts) / len(counts) for b in CUES}
    simple, longer = rates["vlm_cots"], rates["reasoner_expansions"]
    assert longer["backtracking"] > 0.3 > 0.05 > simple["backtracking"]
    assert longer["verification"] > 0.5 > 0.1 > simple["verification"]
    assert simple["subgoal_setting"] > 0.5
