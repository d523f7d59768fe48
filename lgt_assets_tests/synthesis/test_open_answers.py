"""Open answers: what counts as right, what does not, and that no text breaks the verifier."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lgt_assets.synthesis.open_answers import number_of, verify_open

RIGHT = [
    ("3", "3", "number"), ("three", "3", "number"), ("3", "three", "number"), ("Three.", "3", "number"),
    ("There are three cups.", "3", "number"), ("3 small cups", "3", "number"), ("The answer is 3.", "3", "number"),
    ("I count exactly 3", "3", "number"), ("3.0", "3", "number"), ("1,200", "1200", "number"), ("**3**", "3", "number"),
    (r"\boxed{3}", "3", "number"), ("twenty-one", "21", "number"), ("twenty-one birds", "21", "number"), ("-2", "-2", "number"),
    ("0.50", "1/2", "number"), ("<think> 3 or 4? </think><answer>4</answer>", "4", "number"),
    ("<answer>4</answer> no: <answer>5</answer>", "5", "number"), ("３", "3", "number"),
    ("red", "red", "exact_text"), ("Red.", "red", "exact_text"), ("the red mug", "a red mug", "exact_text"),
    ("It is red", "red", "exact_text"), ("'red'", "red", "exact_text"), ("*Red*", "red", "exact_text"),
    ("<think> x </think><answer>The answer is: red</answer>", "red", "exact_text"), ("CAFÉ", "café", "exact_text"),
    ("It is", "it is", "exact_text"), ("yes", "Yes", "exact_text"),
    ("(B)", "B", "letter"), ("<answer>B</answer>", "B", "letter"), ("Option B", "B", "letter"),
]  # fmt: skip
WRONG = [
    ("4", "3", "number"), ("3 or 4", "3", "number"), ("between 3 and 4", "3", "number"), ("not 3", "3", "number"),
    ("3 hundred", "3", "number"), ("3 and a half", "3", "number"), ("less than 3", "3", "number"), ("3.5", "3", "number"),
    ("33", "3", "number"), ("", "3", "number"), ("three cups or more", "3", "number"), ("3 cups, 4 plates", "3", "number"),
    ("<answer>3", "3", "number"), ("<think> 3", "3", "number"), ("There are cups. 3", "3", "number"), ("3", "many", "number"),
    ("3 plus 1", "3", "number"), ("1/0", "0", "number"), ("3 minus", "3", "number"),
    ("blue", "red", "exact_text"), ("not red", "red", "exact_text"), ("red or blue", "red", "exact_text"),
    ("reddish", "red", "exact_text"), ("red mug", "red", "exact_text"), ("", "red", "exact_text"), ("", "", "exact_text"),
    ("<think> red </think>", "red", "exact_text"), ("<answer>red", "red", "exact_text"),
    ("(A)", "B", "letter"), ("A or B", "B", "letter"), ("", "B", "letter"), ("B", "", "letter"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer", "verification"), RIGHT)
def test_right(text, answer, verification):
    assert verify_open(text, answer, verification) is True


@pytest.mark.parametrize(("text", "answer", "verification"), WRONG)
def test_wrong(text, answer, verification):
    assert verify_open(text, answer, verification) is False


PIECES = st.lists(
    st.sampled_from(["<answer>", "</answer>", "<think>", "</think>", "3", "three", " ", "or", "1/0", "9" * 40, "\\boxed{", "}",
                     "-", "the answer is", "\u0130", "\ud800", "½", "²", "٣", "Ⅷ", "one hundred"]), max_size=12,
).map("".join)  # fmt: skip


@given(PIECES | st.text(), PIECES | st.text(), st.sampled_from(["number", "exact_text", "letter"]))
@example("1" * 5000, "1" * 5000, "number")
def test_any_text_is_judged(text, answer, verification):
    assert verify_open(text, answer, verification) in (True, False)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_numbers_are_compared_by_value(given_number, expected):
    assert verify_open(f"<answer>{given_number:,}</answer>", str(expected), "number") is (given_number == expected)


@given(st.integers(0, 99))
def test_words_up_to_ninety_nine_are_numbers(value):
    units = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
    )
    units += ["seventeen", "eighteen", "nineteen"]
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    if value < 20:
        word = units[value]
    else:
        word = tens[value // 10 - 2] + (f"-{units[value % 10]}" if value % 10 else "")
    assert number_of(word) == value


def test_an_unknown_verification_is_an_error():
    with pytest.raises(ValueError, match="there are letter, number, exact_text"):
        verify_open("3", "3", "judge")
