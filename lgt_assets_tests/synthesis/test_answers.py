"""Which choice an answer names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.answers import judge_answer
from lgt_assets.synthesis.parsing import answer_index

COLORS = ["blue", "red", "green", "yellow"]
LETTERS = "ABCDEFGHIJ"


@pytest.mark.parametrize("text", [
    "B", "b", "(B)", "(b)", "B)", "B.", "B:", "B!", "[B]", "{B}", '"B"', "*B*", "_B_", "**B**", "`(B)`", "### B", "> B", "- B",
    "1. B", "(B", "Ｂ", "（Ｂ）", "Ⓑ", "B。", "答案是B", "答案：Ｂ", "(B.)", "\tB\n", "B B", "(B) (B)",
    "B red", "b red", "B. red", "B.red", "B)red", "B - red", "B – red", "B: red", "B, red", "B → red", "B (red)", "red (B)",
    "(B) Red.", "(b) RED", "**(B) red**", "Option B", "option b.", "Option B, red", "Choice (B): red", "Letter B",
    "Ans: B", "ans. b",
    "Answer: B", "Answer is: (B) red", "The answer is B.", "the answer is b", "ANSWER IS B", "The correct answer is **B**.",
    "The answer is: \n\nB", "Final Answer: \n**B**", "My final answer is B!", "Therefore, the correct option is (B) red.",
    "I pick B", "I'd go with B", "It's B", "B is the answer", '{"answer": "B"}',
    r"\boxed{B}", r"$\boxed{B}$", r"\boxed{\text{B}}", r"\boxed{(B) red}", r"\(B\)", r"\textbf{B}", "$\\text{B}$",
    "red", "Red.", "RED", "'red'", "“red”", "It is red.", "it is definitely red!", "the red one", "a red hat",
    "Red hat", "I see a red hat",
    "B\n\nBecause it is red.", "B. The hat is red.", "(B) Red – it is the brightest one.", "b, because it is bright",
    "The correct option is (B), because the hat is red.", "The hat is red because it is bright", "b/c it is red",
    "<answer>B</answer>", "<Answer> b </ANSWER>", "＜answer＞Ｂ＜/answer＞", "<answer>\\boxed{B}</answer>",
    "<answer> (B) </answer> or A",
    "<answer>A</answer> no, <answer>B</answer>", "<answer><answer>B</answer></answer>", "<answer>B</answer></answer>",
    "<think> A? </think>B", "<think> A? </think>\nThe answer is (B) red.", "<think> A? </think> So \\boxed{B}.",
    "<think> (A) or (C) </think> Looking at it:\n**Answer:** B",
])  # fmt: skip
def test_the_second_choice_in_all_usual_shapes(text):
    assert answer_index(text, COLORS) == 1


@pytest.mark.parametrize("text", [
    "", "  ", "E", "(E) red", "AB", "N/A", "İ", "(İ)", "None of the above", "none", "purple", "reddish", "red-brown", "infrared",
    "A or B", "A and C", "A/B", "A,B", "A & B", "(A), (C)", "both (A) and (B)", "A B", "red or blue", "It is blue, not red",
    "B) blue", "(B) blue", "B blue", "red (A)", "B. The hat is blue.", "A red hat", "The answer is (B), not (A)",
    "not red", "Not B", "It isn't (B)", "(B) is wrong", "neither", "<answer>B", "<answer>A</answer><answer>B",
    "<answer></answer>",
    "<think> it is B", "<think> so B. </think> The hat is red in the", r"\boxed{A} and \boxed{B}", "<answer>A, C</answer>",
    "<think> The answer is B.",
])  # fmt: skip
def test_what_names_no_choice_or_several_is_no_answer(text):
    assert answer_index(text, COLORS) is None


@pytest.mark.parametrize(("text", "index"), [
    ("A reflection of red lights", 0), ("A reflection of red lights.", 0), ("It shows a reflection of red lights.", 0),
    ("A. A reflection of red lights", 0), ("(C) A reflection of red lights", None), ("A", 0),
    ("A red ball", 1), ("red ball", 1), ("the red ball", 1), ("B. red ball", 1), ("red lights", 2),
    ("None of the above", 3), ("none of the above.", 3), ("D. None of the above", 3), ("D", 3),
])  # fmt: skip
def test_an_answer_that_as_a_whole_is_a_choice_is_that_choice(text, index):
    assert answer_index(text, ["A reflection of red lights", "A red ball", "red lights", "None of the above"]) == index


@pytest.mark.parametrize(("text", "index"), [
    ("2", 0), ("12", 1), ("3.5", 2), ("-5", 3), ("5", 4), ("1/2", 5), ("There are 12.", 1), ("There are 22", None),
    ("The value is -5.", 3), ("(A) 2", 0), ("A. 12", None), ("B: 12", 1), ("2.", 0),
])  # fmt: skip
def test_numbers_are_whole_numbers(text, index):
    assert answer_index(text, ["2", "12", "3.5", "-5", "5", "1/2"]) == index


@pytest.mark.parametrize(("text", "index"), [("A", 1), ("(A)", 0), ("B", 3), ("(A) C", 0), ("D.", 2), ("(B) C", None)])
def test_choices_that_are_letters_themselves(text, index):
    assert answer_index(text, ["C", "A", "D", "B"]) == index


@pytest.mark.parametrize(("text", "index"), [
    ("Both A and B", 0), ("A. Both A and B", 0), ("(C) Only B", 2), ("Only B", 2), ("D", 3), ("Neither", 3),
    ("Answer: neither (D)", 3),
])  # fmt: skip
def test_choices_that_speak_of_letters(text, index):
    assert answer_index(text, ["Both A and B", "Only A", "Only B", "Neither"]) == index


@pytest.mark.parametrize(("text", "index"), [
    ("J", 9), ("(J) thing 9", 9), ("I", 8), ("(I)", 8), ("Option I", 8), ("I think it is thing 3", 3), ("thing 1", 1),
])  # fmt: skip
def test_ten_choices(text, index):
    assert answer_index(text, [f"thing {number}" for number in range(10)]) == index


def test_scripts_without_spaces():
    assert [answer_index(text, ["红色", "蓝色"]) for text in ("答案是红色", "蓝色", "选B", "红色和蓝色")] == [
        0,
        1,
        1,
        None,
    ]


def test_the_reason_is_told():
    assert [judge_answer(text, COLORS) for text in (" ", "purple", "A or B", "(B) blue")] == [
        "no_answer", "answer_not_a_choice", "several_answers", "several_answers",
    ]  # fmt: skip


@given(st.text(), st.lists(st.text(), max_size=12))
def test_any_text_and_any_choices_give_an_index_or_none(text, choices):
    index = answer_index(text, choices)
    assert index is None or 0 <= index < len(choices)


_WORDS = st.sampled_from("apple beagle candle dune engine ferry garden harbour island jacket kettle lantern".split())


@given(st.lists(_WORDS, min_size=3, max_size=10, unique=True).flatmap(lambda choices: st.tuples(
    st.just(choices), st.integers(0, len(choices) - 1),
    st.sampled_from(["{letter}", "({letter})", "{letter}. {text}", "({letter}) {text}", "{text}", "The answer is ({letter}).",
                     "Option {letter}", r"\boxed{{{letter}}}", "**{letter}**", "<answer>({letter}) {text}</answer>"]),
)))  # fmt: skip
def test_every_shape_at_every_place_of_any_list(case):
    choices, index, shape = case
    assert answer_index(shape.format(letter=LETTERS[index], text=choices[index]), choices) == index


@given(st.lists(_WORDS, min_size=3, max_size=10, unique=True), st.randoms(use_true_random=False))
def test_the_text_of_an_answer_is_found_in_any_order_of_choices(choices, generator):
    right = choices[0]
    generator.shuffle(choices)
    assert choices[answer_index(f"It is the {right}.", choices)] == right


_TEXT_SHAPES = st.sampled_from(
    ["{}", "It is the {}.", "**{}**", "<answer> {} </answer>", r"\boxed{{\text{{{}}}}}", "The answer is {}."]
)


@given(st.lists(_WORDS | st.sampled_from(["red", "dark red", "2", "two dogs", "A mug", "None of the above"]),
                min_size=3, max_size=10, unique=True), st.randoms(use_true_random=False), _TEXT_SHAPES)  # fmt: skip
def test_an_answer_by_text_moves_with_its_choice(choices, generator, shape):
    answer, shuffled = shape.format(choices[0]), list(choices)
    generator.shuffle(shuffled)
    first, second = answer_index(answer, choices), answer_index(answer, shuffled)
    assert first is not None and choices[first] == choices[0]
    assert second is not None and shuffled[second] == choices[0]


@given(st.lists(_WORDS, min_size=3, max_size=10, unique=True), st.integers(0, 9), st.integers(1, 9))
def test_a_letter_with_another_choices_text_is_no_answer(choices, position, step):
    index = position % len(choices)
    other = (index + 1 + step % (len(choices) - 1)) % len(choices)
    for shape in (
        "{}. {}",
        "({}) {}",
        "{}) {}",
        "{}: {}",
        "{} - {}",
        "Option {}: {}",
        "The answer is ({}) {}.",
        "{} ({})",
    ):
        assert answer_index(shape.format(LETTERS[index], choices[other]), choices) is None
        assert answer_index(shape.format(LETTERS[index], choices[index]), choices) == index
