"""The rewards as the trainers call them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.release.reward_functions import (
    answer_reward,
    answer_score,
    compute_score,
    easyr1_reward,
    format_reward,
    format_score,
    reward_func,
)
from lgt_assets.synthesis.shown import assistant_turn
from lgt_assets_tests.synthesis.test_parsing_work import UNITS, calls

COLORS = ["blue", "red", "green"]
RIGHT, WRONG = assistant_turn("It is red.", "(B)"), assistant_turn("It is blue.", "(A)")
BY_TEXT = "<think> It is. </think><answer>red</answer>"


def turn(text: object) -> list[dict]:
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize(("text", "truth", "verification", "choices", "score"), [
    (RIGHT, "B", "letter", COLORS, 1), (WRONG, "B", "letter", COLORS, 0), (BY_TEXT, "B", "letter", COLORS, 1),
    (BY_TEXT, "B", "letter", None, 0), (BY_TEXT, "B", "letter", [], 0), (BY_TEXT, "B", None, COLORS, 1),
    (RIGHT, "B", None, None, 1), (RIGHT, " B ", None, None, 1), (RIGHT, "b", "letter", COLORS, 1),
    (RIGHT, "", "letter", COLORS, 0),
    ("(D)", "D", "letter", COLORS, 0), ("(D)", "D", "letter", None, 1), ("(B) blue", "B", "letter", COLORS, 0),
    ("(B) blue", "A", "letter", COLORS, 0),
    ("three cups", "3", "number", None, 1), ("three cups", "3", None, None, 1), ("three cups", 3, None, None, 1),
    ("three cups", "3", None, [], 1), ("3", "3", "exact_text", None, 1), ("three", "3", "exact_text", None, 0),
    ("The red mug.", "red mug", None, None, 1), ("mug", "red mug", None, None, 0), ("a", "a", None, None, 1),
    ("", "B", "letter", COLORS, 0), ("<answer>B", "B", "letter", COLORS, 0), ("A or B", "B", "letter", COLORS, 0),
    ("thing 26", "A", "letter", [f"thing {number}" for number in range(30)], 0),
])  # fmt: skip
def test_an_answer_is_judged_as_its_question_asks(text, truth, verification, choices, score):
    assert answer_score(text, truth, verification, choices) == score
    assert answer_reward([text], [truth], [verification], [choices]) == [score]
    extra = {"split": "train", "index": 0, "verification": verification, "choices": choices}
    assert compute_score("lgt", text, truth, extra)["acc"] == score


def test_an_unknown_verification_is_an_error_of_the_data():
    with pytest.raises(ValueError, match="'regex'"):
        answer_reward(["B"], ["B"], verification=["regex"])


@pytest.mark.parametrize("text", [
    RIGHT, assistant_turn("a\n\nb", "(B) red"),
    "<think>a</think>\n\n<answer>b</answer>", "\n<think>a</think><answer>b</answer>\n",
    "<think>a</think><answer>b</answer><|im_end|>", "<think>a</think><answer>b</answer></s>",
    "<think>a < b > c</think><answer>d</answer>",
])  # fmt: skip
def test_the_form_of_the_traces(text):
    assert format_score(text) == 1.0


@pytest.mark.parametrize("text", [
    "", "B", "<answer>b</answer>", "<think>a</think>", "<think>a</think>b", "a</think><answer>b</answer>",
    "<think>a<answer>b</answer>", "<think>a</think><answer>b", "<think> </think><answer>b</answer>",
    "<think>a</think><answer> </answer>", "x<think>a</think><answer>b</answer>", "<think>a</think>x<answer>b</answer>",
    "<think>a</think><answer>b</answer>x", "<think>a</think><answer>b</answer><answer>b</answer>",
    "<think>a</think><think>a</think><answer>b</answer>", "<answer>b</answer><think>a</think>",
    "<think>a<answer>b</answer></think>", "<THINK>a</THINK><answer>b</answer>", "<thinking>a</thinking><answer>b</answer>",
    "**<think>**a</think><answer>b</answer>", "<think>a</think><answer>b</answer ><answer>",
    "<think>a<think></think><answer>b</answer>",
    "&lt;think&gt;a&lt;/think&gt;&lt;answer&gt;b&lt;/answer&gt;", "<think>so <ANSWER> </think><answer>b</answer>",
    "<|im_end|><think>a</think><answer>b</answer>",
])  # fmt: skip
def test_another_form(text):
    assert format_score(text) == 0.0


thoughts = st.text(st.characters(exclude_characters="<＜◁"), min_size=1).filter(str.strip)


@given(thoughts, thoughts)
def test_every_turn_of_the_data_sets_has_the_form(thought, answer):
    assert format_score(assistant_turn(thought, answer)) == 1.0


def test_trl_gives_messages_or_strings_and_columns():
    completions = [
        turn(RIGHT),
        turn(WRONG),
        turn([{"type": "text", "text": RIGHT}]),
        RIGHT,
        turn(None),
        turn(3),
        [],
        [3],
        None,
    ]
    truths = ["B"] * len(completions)
    given_too = {"prompts": [None] * 9, "completion_ids": [[1]] * 9, "pass_rate": [0.5] * 9, "trainer_state": object()}
    expected = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    for rewards in (
        answer_reward(completions=completions, ground_truth=truths, **given_too),
        answer_reward(completions, truths, ["letter"] * 9, [COLORS, None, []] * 3, **given_too),
    ):
        assert rewards == expected and all(type(reward) is float for reward in rewards)
    assert format_reward(completions=completions, **given_too) == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_columns_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="zip"):
        answer_reward([RIGHT, RIGHT], ["B"])


def test_verl_gives_arrays_or_nothing():
    numpy = pytest.importorskip("numpy")
    choices = numpy.array(COLORS, dtype=object)
    extra = {"verification": "letter", "choices": choices, "num_turns": None, "rollout_reward_scores": {}}
    assert compute_score(data_source="lgt", solution_str=BY_TEXT, ground_truth="B", extra_info=extra) == {
        "score": 1.0, "acc": 1.0, "format": 1.0,
    }  # fmt: skip
    extra["choices"] = numpy.array([], dtype=object)
    assert compute_score("lgt", BY_TEXT, "B", extra)["acc"] == 0.0
    assert compute_score("lgt", "B", "B", None) == {"score": 0.9, "acc": 1.0, "format": 0.0}
    assert compute_score("lgt", WRONG, "B", None, reward_router_address=None, format_weight=0.5)["score"] == 0.5


def test_easyr1_gives_one_or_many():
    wanted = {"overall": 1.0, "accuracy": 1.0, "format": 1.0}
    one = {"response": RIGHT, "response_length": 9, "ground_truth": "B"}
    other = {"response": "A", "response_length": 1, "ground_truth": "B"}
    assert easyr1_reward(one) == wanted
    assert easyr1_reward([one, other], format_weight=0.5) == [wanted, {"overall": 0.0, "accuracy": 0.0, "format": 0.0}]


PROMPT = (
    "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Such as <answer>(B)</answer>. Which?<|im_end|>\n"
    "<|im_start|>assistant\n"
)


@pytest.mark.parametrize("prompt", [PROMPT, "Such as <answer>(B)</answer>. Which?", "B?", ""])
def test_openrlhf_gives_prompt_and_completion_in_one(prompt):
    query = prompt.replace("<|image_pad|>", "<|image_pad|>" * 300)
    assert reward_func([query + RIGHT + "<|im_end|>"], [prompt], ["B"]) == {
        "rewards": 1.0, "scores": 1.0, "extra_logs": {"format": 1.0},
    }  # fmt: skip
    assert (
        reward_func([query + "I cannot tell."], [prompt], ["B"])["rewards"] == 0.0
    )  # the prompt's example is no answer
    assert reward_func([query + WRONG, query + RIGHT + prompt[:5]], [prompt] * 2, ["B"] * 2, images=None) == {
        "rewards": [0.1, 1.0 if not prompt else 0.9], "scores": [0.0, 1.0],
        "extra_logs": {"format": [1.0, 0.0 if prompt else 1.0]},
    }  # fmt: skip


def test_openrlhf_with_another_prompt_is_an_error():
    with pytest.raises(ValueError, match="does not hold its prompt"):
        reward_func([RIGHT], [PROMPT], ["B"])


hostile = st.lists(
    st.sampled_from([*UNITS, RIGHT, "B", "\0", "\ud800", "\U0010ffff"]) | st.text(max_size=5), max_size=10
).map("".join)


@settings(deadline=None)
@given(
    hostile, st.sampled_from(["B", "3", "red mug", "", "\0"]), st.sampled_from([None, "letter", "number", "exact_text"])
)
def test_any_completion_gets_a_score(text, truth, verification):
    for choices in (None, COLORS):
        assert answer_reward([text, turn(text)], [truth] * 2, [verification] * 2, [choices] * 2) in (
            [0.0] * 2,
            [1.0] * 2,
        )
        scores = compute_score("lgt", text, truth, {"verification": verification, "choices": choices})
        assert all(0.0 <= score <= 1.0 for score in scores.values())
    assert format_reward([text, turn(text)]) in ([0.0] * 2, [1.0] * 2)
    assert 0.0 <= easyr1_reward({"response": text, "ground_truth": truth})["overall"] <= 1.0
    assert 0.0 <= reward_func([PROMPT + text], [PROMPT], [truth])["rewards"] <= 1.0


@pytest.mark.parametrize("unit", ["<think>", "1", "\ud800", "\0", "<answer>B", "<|im_end|>"])
def test_a_long_completion_gets_a_score(unit):
    text = unit * 50_000
    assert answer_reward([text] * 3, ["3"] * 3, ["letter", "number", "exact_text"], [COLORS, None, None]) == [0.0] * 3
    assert format_reward([text]) == [0.0]


@pytest.mark.parametrize("unit", UNITS)
def test_work_grows_with_the_text(unit):
    for score in (
        format_score,
        lambda text: answer_score(text, "3", "number"),
        lambda text: answer_score(text, "red", "exact_text"),
        lambda text: answer_score(f"<answer>{text}</answer>", "3", "number"),
    ):
        short, long = (calls(score, unit * times) for times in (150, 1200))
        assert long <= 8.5 * short + 2000
