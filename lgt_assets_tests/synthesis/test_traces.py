"""Reading chains of thought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.synthesis.parsing import REASONS, ParsedTrace, Rejected, parse_trace

COLORS = ["blue", "red", "green"]


@pytest.mark.parametrize("text", [
    "<think> It is red. </think><answer>(B)</answer>",
    "<think>It is red.</think>\n\n<answer> B. red </answer>",
    "Sure! <think> It is red. </think> As I said, it is red. <answer>B</answer> Anything else?",
    "<think><think>It is red.</think></think><answer><answer>B</answer></answer>",
    "It is red.</think><answer>B</answer>",
    "<think> It is red. <answer>B</answer>",
    "It is red. <answer>B</answer>",
    "<think> It is red. </think> The answer is (B).",
    "<think> It is red. </think> (B) red",
    "<think> It is red. </think> $\\boxed{B}$",
    "<think> It is red. </think>\n**Answer:** (B)",
    "<think> It is red. </think> B</answer>",
    "<THINK> It is red. </Think><Answer>b</Answer>",
    "＜think＞It is red.＜/think＞＜answer＞Ｂ＜/answer＞",
    "It is red.\nAnswer: B",
    "<think>\nIt is red.\n</think>\n\n**Final Answer**\n\n\\boxed{B}",
    "<think>\nIt is red.\n</think>\n\nThe hat is what was asked about.\n\n**B. red**",
    "<think>\nIt is red.\n</think>\n\nB) red\n\nThe hat is clearly so.",
    "<think>\nIt is red.\n</think>\n\n### Answer\nB",
    "<think>\nIt is red.\n</think>\n\n```json\n{\"answer\": \"B\"}\n```",
    "<think>\nIt is red.\n</think>\n\nB<|im_end|>",
    "<thinking>It is red.</thinking><final_answer>B</final_answer>",
    "<reasoning>It is red.</reasoning><anwser>B</anwser>",
    "<think type=\"cot\">It is red.</think><answer format='letter'>B</answer>",
    "<think>It is red.<\\/think><answer>B<\\/answer>",
    "<think>It is red.</thinking><answer>B</ans>",
    "**<think>** It is red. **</think>** **<answer>** B **</answer>**",
    "&lt;think&gt;It is red.&lt;/think&gt;&lt;answer&gt;B&lt;/answer&gt;",
    "◁think▷It is red.◁/think▷B",
    "```xml\n<think>It is red.</think>\n<answer>B</answer>\n```",
    "{\"thought\": \"It is red.\", \"answer\": \"B\"}",
    "It is red.\n\n### Final Answer\n(B) red",
    "<think>It is red.</think><answer>B\nExplanation: it is not blue.</answer>",
    "It is red. The answer is B.",
])  # fmt: skip
def test_thought_and_answer_are_found_with_tags_missing_or_doubled(text):
    trace = parse_trace(text, COLORS)
    assert isinstance(trace, ParsedTrace)
    assert (trace.thought, trace.answer_index) == ("It is red.", 1)


@pytest.mark.parametrize(("text", "reason"), [
    ("<think> It is red. </think><answer>B", "cut_off"),
    ("<think> It is red. </think><answer>B</answ", "cut_off"),
    ("<think> It is red. </think><answer>A</answer> no <answer>B", "cut_off"),
    ("<think> It is red, so the answer is B.", "cut_off"),
    ("<think> It is red. </think><ans", "cut_off"),
    ("<think> It is red. </think> \\boxed{B", "cut_off"),
    ("<think> It is red. </think><answer>A</answer> wait <answer></answer>", "no_answer"),
    ("<think> It is red. </think> A or\n\nB", "no_answer"),
    ("<think> It is red. </think>", "no_answer"),
    ("<think> It is red. </think> The hat, which is red, stands", "no_answer"),
    ("<think> It is red. </think><answer> </answer>", "no_answer"),
    ("", "no_answer"),
    ("It is red.", "no_answer"),
    ("<think> </think><answer>B</answer>", "empty_thought"),
    ("<answer>B</answer>", "empty_thought"),
    ("<think> It is pink. </think><answer>pink</answer>", "answer_not_a_choice"),
    ("<think> Hard. </think><answer>A or B</answer>", "several_answers"),
    ("<think> Hard. </think><answer>(A) red</answer>", "several_answers"),
])  # fmt: skip
def test_what_cannot_be_used_says_why_and_keeps_its_text(text, reason):
    assert parse_trace(text, COLORS) == Rejected(reason, text)


def test_the_last_answer_counts():
    text = "<think> Blue? </think><answer>A</answer> Wait. <think> Red. </think><answer>B</answer>"
    assert parse_trace(text, COLORS).answer_index == 1


def test_a_free_answer_has_no_index():
    assert parse_trace("<think> It is red. </think><answer>dark red</answer>", []) == ParsedTrace(
        "It is red.", "dark red", None
    )


def test_the_prefix_begins_the_thought_word_for_word():
    prefix = "<think> I see  A  Hat,\nblue. Wait,"
    trace = parse_trace(" it is red. </think><answer>(B)</answer>", COLORS, prefix=prefix)
    assert trace.thought == "I see  A  Hat,\nblue. Wait, it is red."


def test_an_answer_within_the_prefix_is_not_the_models():
    prefix = "<think> <answer>A</answer>? Wait,"
    assert parse_trace(" it is", COLORS, prefix=prefix) == Rejected("cut_off", " it is")
    assert parse_trace(" no.</think><answer>B</answer>", COLORS, prefix=prefix).answer_index == 1


def test_a_thought_that_the_template_opened():
    for prefix in ("<think>", "<think>\n", "<think> It"):
        trace = parse_trace(
            f"{'' if 'It' in prefix else 'It'} is red.\n</think>\n\n**Answer:** B", COLORS, prefix=prefix
        )
        assert (trace.thought, trace.answer_index) == ("It is red.", 1)


@given(st.text(), st.lists(st.text(), max_size=5), st.text())
def test_any_text_gives_a_trace_or_a_reason(text, choices, prefix):
    trace = parse_trace(text, choices, prefix=prefix)
    if isinstance(trace, Rejected):
        assert trace.raw == text and trace.reason in REASONS
    else:
        assert trace.thought and trace.answer and (trace.answer_index is not None or not choices)


_PIECES = st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "(A)", "B", " red ", "\n", "\\boxed{", "}", "The answer is "]
)


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_any_order_of_tags_gives_clean_values(text):
    trace = parse_trace(text, COLORS)
    if isinstance(trace, ParsedTrace):
        assert trace.answer_index in range(3)
        assert not any(tag in trace.thought for tag in ("<think>", "</think>", "<answer>", "</answer>"))
