"""What the verifier is taught to read in thoughts."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.judges import BEHAVIOURS, NO_CHOICE, behaviours_of
from lgt_assets.embedded.roles import make_example
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.synthesis.parsing import answer_index

SEEDS = st.integers(0, 2**40)
SEEN = "I see #1 small red circle [10, 10, 50, 50]."


def example_of(role: str, seed: int) -> Example:
    return make_example(role, generate_scene(seed), random.Random(seed))


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_consistency_is_about_the_end_of_the_thought(seed: int) -> None:
    example = example_of("consistency", seed)
    thought, choices = example.variables["thought"], example.variables["choices"]
    ends = [f"Answer: {choice} ({letter})." for choice, letter in zip(choices, "ABCD", strict=True)]
    if example.answer == NO_CHOICE:
        assert not thought.endswith(tuple(ends)) and example.reply.endswith("<answer>none</answer>")
    else:
        assert thought.endswith(ends[choices.index(example.answer)])
        assert answer_index(example.reply, choices) == choices.index(example.answer)


def test_consistency_knows_every_ending_of_simple_and_continued_thoughts() -> None:
    examples = [example_of("consistency", seed) for seed in range(300)]
    cut = [example for example in examples if example.answer == NO_CHOICE]
    assert 45 < len(cut) < 105
    # A continued thought that was cut has an answer in it, which it has taken back.
    assert any("Answer: " in example.variables["thought"] for example in cut)
    assert 60 < sum("before I said" in example.variables["thought"] for example in examples) < 180


@pytest.mark.parametrize(
    ("thought", "behaviours"),
    [
        (f"{SEEN} The red circle [10, 10, 50, 50] at 30 30. That is top-left. Answer: top-left (A).", []),
        (f"{SEEN} 30 against 110: lower, so first. Answer: red circle (A).", []),
        (f"{SEEN} Count the circles: #1 small red circle 1. That makes 1. Answer: 1 (A).", ["subgoal_setting"]),
        (f"{SEEN} Answer: 1 (A). Wait, I was wrong. Answer: 2 (B).", ["backtracking"]),
        (f"{SEEN} Answer: 1 (A). Hmm, before I said (A). That agrees. Answer: 1 (A).", ["verification"]),
        (f"{SEEN} Find the lowest: #1 30. Wait, let me look at every object again: 1). I was wrong.", list(BEHAVIOURS)),
    ],
)
def test_behaviours_are_told_by_what_a_thought_says(thought: str, behaviours: list[str]) -> None:
    assert behaviours_of(thought) == behaviours


def test_behaviours_come_in_every_combination() -> None:
    answers = {example_of("behaviours", seed).reply for seed in range(600)}
    assert len(answers) == 8 and "<answer>none</answer>" in answers
    assert "<answer>subgoal_setting, backtracking, verification</answer>" in answers
