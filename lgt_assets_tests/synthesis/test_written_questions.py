"""Reading the questions that a writer wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.parsing import REASONS, ParsedQuestion, Rejected, parse_questions

RED_OR_BLUE = ParsedQuestion("What color is the hat?", ["Red", "Blue", "Green"], 1, "Recognition")
Q, T = "<question>What color is the hat?</question>", "<type>Recognition</type>"
TAGGED = (
    "<question>What color is the hat?</question><choices>(A) Red (B) Blue (C) Green</choices>"
    "<answer>(B)</answer><type>Recognition</type>"
)


@pytest.mark.parametrize("text", [
    TAGGED,
    f"<think> The hat is at [1, 2]. Choices: (A) Red (B) Blue. Answer: Blue (B). </think>{TAGGED}",
    f"Here you are:\n\n1. {TAGGED}\n",
    "1. <question> What color is the hat? </question>\n   <choices>\n   (A) Red\n   (B) Blue\n   (C) Green\n   </choices>\n"
    "   <answer> Blue </answer>\n   <type> Recognition </type>",
    "<question>1. What color is the hat?</question><choices>A. Red B. Blue C. Green</choices><answer>B. Blue</answer>" + T,
    "<question>**What color is the hat?**</question><choices>**A)** Red\n**B)** Blue\n**C)** Green</choices>"
    "<answer>**B**</answer><type>**Recognition**</type>",
    Q + "<choices>- Red\n- Blue\n- Green</choices><answer>blue</answer>" + T,
    Q + "<choices>1. Red\n2. Blue\n3. Green</choices><answer>2</answer>" + T,
    Q + "<choices>a) Red b) Blue c) Green</choices><answer>b</answer>" + T,
    Q + "<choices>Red | Blue | Green</choices><answer>Blue</answer>" + T,
    Q + "<choices>A: Red, B: Blue, C: Green</choices><answer>Option B</answer>" + T,
    Q + "<choices>（Ａ）Red （Ｂ）Blue （Ｃ）Green</choices><answer>（Ｂ）</answer>" + T,
    Q + "<choices>(A) Red (B) Blue (C) Green</choices><answer>\\boxed{B}</answer>" + T,
    "<question>What color is the hat?<choices>(A) Red (B) Blue (C) Green<answer>(B)<type>Recognition",
    "What color is the hat?</question><choices>(A) Red (B) Blue (C) Green</choices><answer>(B)</answer>" + T,
    "2. What color is the hat?\n<choices>(A) Red (B) Blue (C) Green</choices><answer>(B)</answer>" + T,
    "<question>What color is the hat? (A) Red (B) Blue (C) Green</question><answer>(B)</answer>" + T,
    Q + "\n(A) Red\n(B) Blue\n(C) Green\n<answer>(B)</answer>" + T,
    "<question><question>What color is the hat?</question></question>"
    "<choices><choices>(A) Red (B) Blue (C) Green</choices></choices><answer><answer>B</answer></answer>" + T,
    "<Question>What color is the hat?</QUESTION><options>(A) Red (B) Blue (C) Green</options><answer>(B)</answer>" + T,
    "**Question 1:** What color is the hat?\nA) Red\nB) Blue\nC) Green\n**Answer:** B) Blue\n**Type:** Recognition",
    "1. What color is the hat?\n   - A. Red\n   - B. Blue\n   - C. Green\n   Answer: Blue\n   Type: Recognition",
    "### 1. What color is the hat?\n* Red\n* Blue\n* Green\n\nCorrect answer: Blue\nQuestion type: Recognition",
    "Q: What color is the hat?\nOptions: A: Red, B: Blue, C: Green\nAnswer: B: Blue\nType: Recognition",
    "What color is the hat? (A) Red (B) Blue (C) Green Answer: B Type: Recognition",
    "1. **What color is the hat?**\n   (a) Red  (b) Blue  (c) Green\n   **Answer: (b) Blue**\n   *Type: Recognition*",
])  # fmt: skip
def test_one_question_in_many_shapes(text):
    assert parse_questions(text) == [RED_OR_BLUE]


@pytest.mark.parametrize("count", range(3, 11))
@pytest.mark.parametrize("separator", [" ", "\n"])
def test_three_to_ten_choices_inline_or_by_line(count, separator):
    listed = separator.join(f"({'ABCDEFGHIJ'[i]}) thing {i}" for i in range(count))
    text = f"<question>Which?</question><choices>{listed}</choices><answer>thing {count - 1}</answer><type>T</type>"
    assert parse_questions(text) == [ParsedQuestion("Which?", [f"thing {i}" for i in range(count)], count - 1, "T")]


def test_several_questions_stay_apart_and_a_bad_one_does_not_spoil_the_others():
    bad = TAGGED.replace("<answer>(B)</answer>", "<answer>Purple</answer>")
    parsed = parse_questions(f"1. {TAGGED}\n\n2. {bad}\n\n3. {TAGGED.replace('hat?', 'coat?')}")
    assert parsed[0] == RED_OR_BLUE
    assert parsed[1].reason == "answer_not_a_choice" and "Purple" in parsed[1].raw and "coat" not in parsed[1].raw
    assert parsed[2].question == "What color is the coat?"


def test_a_list_without_tags_holds_several():
    text = (
        "**Question 1:** Name the color.\nA) Red\nB) Blue\nC) Green\n**Correct Answer:** (B)\n\n"
        "**Question 2:** How many dogs are there?\n- (A) One\n- (B) Two\n- (C) Three\n**Answer:** (C) Three"
    )
    assert parse_questions(text) == [
        ParsedQuestion("Name the color.", ["Red", "Blue", "Green"], 1, ""),
        ParsedQuestion("How many dogs are there?", ["One", "Two", "Three"], 2, ""),
    ]


def test_a_choice_may_run_over_lines_and_speak_of_letters():
    text = "<question>Which?</question><choices>(A) a plan B\nthat failed (B) vitamin C (C) the end</choices><answer>(A)</answer>"
    assert parse_questions(text)[0].choices == ["a plan B that failed", "vitamin C", "the end"]


def test_the_words_stay_as_they_were_written():
    text = "<question>What’s “STOP” – a sign…?</question><choices>(A) ½ cup (B) It’s 5 °C (C) 3</choices><answer>B</answer>"
    assert parse_questions(text) == [ParsedQuestion("What’s “STOP” – a sign…?", ["½ cup", "It’s 5 °C", "3"], 1, "")]


@pytest.mark.parametrize(("text", "reason"), [
    ("", "no_question"),
    ("I cannot see a picture.", "no_question"),
    ("<question></question><choices>(A) x (B) y (C) w</choices><answer>A</answer>", "no_question"),
    ("<question>Which?</question><answer>A</answer>", "no_choices"),
    ("<question>Which?</question><choices>(A) x</choices><answer>A</answer>", "too_few_choices"),
    ("<question>Which?</question><choices>(A) x (B) (C) y</choices><answer>A</answer>", "empty_choice"),
    ("<question>Which?</question><choices>(A) red (B) Red. (C) blue</choices><answer>C</answer>", "duplicate_choices"),
    ("<question>Which?</question><choices>(A) x (B) y (C) w</choices><type>T</type>", "no_answer"),
    ("<question>Which?</question><choices>(A) x1 (B) y1 (C) w1</choices><answer>z1</answer>", "answer_not_a_choice"),
    ("<question>Which?</question><choices>(A) x1 (B) y1 (C) w1</choices><answer>A or B</answer>", "several_answers"),
    ("<question>Which?</question><choices>(A) x1 (B) y1 (C) w1</choices><answer>(A) y1</answer>", "several_answers"),
    ("<question>Which?</question><choices>(A) x1 (B) y1 (C) w1</choices><answer>A</answer><answer>B</answer>", "several_answers"),
    ("<question>Which?</question><choices>(A) x1 (B) y", "cut_off"),
    ("<question>Which?</question><choices>(A) x1 (B) y1 (C) w1</choices><answer>A", "cut_off"),
    ("<question>Whi", "cut_off"),
    ("<think> I must think", "cut_off"),
])  # fmt: skip
def test_a_faulty_question_says_what_is_wrong(text, reason):
    (item,) = parse_questions(text)
    assert isinstance(item, Rejected) and item.reason == reason


@given(st.text())
def test_any_text_gives_values_or_reasons(text):
    _check(parse_questions(text))


_PIECES = st.sampled_from([
    "<question>", "</question>", "<choices>", "</choices>", "<answer>", "</answer>", "<type>", "</type>", "<think>", "</think>",
    "(A) x1 ", "(B) y1 ", "A. x1\n", "- y1\n", "What?", "1. ", "\n", "Answer: ", "**", " B ", "Question 2: ", "｜", "\u2028",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_order_of_pieces_gives_values_or_reasons(text):
    _check(parse_questions(text))


def _check(items):
    assert items
    for item in items:
        if isinstance(item, ParsedQuestion):
            assert item.question.strip() and 3 <= len(set(item.choices)) == len(item.choices) <= 10
            assert 0 <= item.answer_index < len(item.choices) and all(choice.strip() for choice in item.choices)
        else:
            assert item.reason in REASONS


@given(st.permutations(["apple", "beagle", "candle", "dune"]), st.integers(0, 3))
def test_the_key_is_the_text_in_any_order_of_choices(choices, index):
    listed = " ".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
    for key in (f"({'ABCD'[index]})", choices[index], f"{'ABCD'[index]}. {choices[index]}"):
        (item,) = parse_questions(f"<question>Which?</question><choices>{listed}</choices><answer>{key}</answer>")
        assert item.choices[item.answer_index] == choices[index]


_TEXTS = st.lists(
    st.sampled_from("apple beagle candle dune engine ferry garden harbour island jacket kettle lantern".split()),
    min_size=3, max_size=10, unique=True,
)  # fmt: skip
_LISTS = (
    ("(A) ", " ", str.upper), ("(A) ", "\n", str.upper), ("A) ", "\n", str.upper), ("A. ", "\n", str.upper),
    ("A: ", ", ", str.upper),
    ("a) ", "\n", str.lower), ("- A. ", "\n", str.upper), ("- **A)** ", "\n", str.upper), ("- ", "\n", None),
)  # fmt: skip
_LAYOUTS = (
    "<question>{question}</question><choices>{choices}</choices><answer>{answer}</answer><type>{type}</type>",
    "1. <question> {question} </question>\n<choices>\n{choices}\n</choices>\n<answer> {answer} </answer>\n<type> {type} </type>",
    "<question>{question}<choices>{choices}<answer>{answer}</answer><type>{type}",
    "**Question 1:** {question}\n{choices}\n**Answer:** {answer}\n**Type:** {type}",
    "Here is one:\n\n1. {question}\n{choices}\n\nCorrect answer: {answer}\nType: {type}\n\nLet me know if you need more!",
    "### {question}\n\n{choices}\n\n*Answer: {answer}*\n*Question type: {type}*\n\n**Explanation:** It can be seen.",
    "Question: {question}\nChoices:\n{choices}\nAnswer: {answer}\nType: {type}",
)  # fmt: skip


def _listed(choices, style):
    mark, separator, case = style
    marks = [mark if case is None else mark.replace(case("A"), case(letter)) for letter in "ABCDEFGHIJ"]
    return separator.join(f"{mark}{choice}" for mark, choice in zip(marks, choices, strict=False))


@given(_TEXTS, st.data())
def test_a_question_written_in_any_shape_is_read_as_it_was(choices, data):
    index = data.draw(st.integers(0, len(choices) - 1))
    letter = "ABCDEFGHIJ"[index]
    answer = data.draw(
        st.sampled_from([f"({letter})", letter, choices[index], f"{letter}. {choices[index]}", f"**{letter}**"])
    )
    words = {"choices": _listed(choices, data.draw(st.sampled_from(_LISTS))), "answer": answer, "type": "Spatial"}
    text = data.draw(st.sampled_from(_LAYOUTS)).format(question="What lies beside the chair?", **words)
    assert parse_questions(text) == [ParsedQuestion("What lies beside the chair?", choices, index, "Spatial")]


@given(_TEXTS, st.integers(0, 9), st.sampled_from(["answer", "correct_answer"]), st.booleans())
def test_a_question_written_as_json_is_read_as_it_was(choices, position, name, lettered):
    index = position % len(choices)
    fields = {
        "question": 'What\'s "here" {now}?',
        "choices": choices,
        name: "ABCDEFGHIJ"[index] if lettered else choices[index],
    }
    for text in (json.dumps(fields), json.dumps([fields], indent=2), f"```json\n{json.dumps([fields])}\n```"):
        assert parse_questions(text) == [ParsedQuestion('What\'s "here" {now}?', choices, index, "")]
