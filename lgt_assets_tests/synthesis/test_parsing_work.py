"""That the parsers' work grows with the length of a text and not with its square, whoever wrote it.

Counted, not timed: calls of functions, and the shape of the regular expressions, whose own steps nobody counts.
"""

import importlib
import re
import sys
from re import _constants as codes
from re import _parser as regular

import pytest

from lgt_assets.synthesis.parsing import answer_index, parse_questions, parse_trace

CHOICES = ["blue", "red", "two dogs", "A mug"]
MODULES = (
    "answer_keys", "answers", "choice_lists", "final_answers", "mentions", "open_answers", "plain_text", "prepared_choices",
    "question_lines", "question_objects", "question_records", "question_tables", "tags", "traces", "written_questions",
)  # fmt: skip
UNITS = (
    "<answer>", "</answer>", "<answer", "<think>", "</think>", "<question>a", "<choices>(A) a ",
    "</question>a\n", "<type>a", "< ", "＜", "&lt;answer&gt;", "<a b=", "\\boxed{", "\\boxed{A} ", "answer: ",
    "answer:\n", "the answer is ", "$a", "not ", "B. ", "(A) ", "A. x\n", "1. What?\nA. y\n", "- ",
    "Question 1: ", "Answer: B\n", "Answers:\n1. B ", "{", "{}", '{"question": "a"} ', '{"question": "a", ',
    "{{{}}}", "['", "| a | b |\n", "**", "\\", " ", "\n", "red ", "two dogs ", "blue red ", "i) ", "option A: ",
    "or ", "explanation:\n", "A ", "é", "红", "\x00", "\ud800", "<|im_end|>",
)  # fmt: skip


def calls(function, text):
    """How many functions, C functions too, ``function(text)`` calls."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_calls_grow_with_the_text(unit):
    wrapped = "<question>W?</question><choices>{}</choices><answer>{}</answer>"
    for function in (
        lambda text: answer_index(text, CHOICES), lambda text: answer_index(f"<answer>{text}</answer>", CHOICES),
        lambda text: parse_trace(f"<think>x</think>{text}", CHOICES), parse_questions,
        lambda text: parse_questions(wrapped.format(text, text)),
    ):  # fmt: skip
        short, long = (calls(function, unit * times) for times in (150, 1200))
        assert long <= 8.5 * short + 2000


def _repeats(parsed):
    """(minimum, maximum, body) of every repeat in a parsed pattern, at any depth."""
    for code, argument in parsed:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            yield argument
            yield from _repeats(argument[2])
        elif code is codes.BRANCH:
            for branch in argument[1]:
                yield from _repeats(branch)
        elif code is codes.SUBPATTERN:
            yield from _repeats(argument[3])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(argument[1])


@pytest.mark.parametrize("module", MODULES)
def test_no_pattern_repeats_a_repetition_without_bound(module):
    patterns = {
        name: value
        for name, value in vars(importlib.import_module(f"lgt_assets.synthesis.{module}")).items()
        if isinstance(value, re.Pattern)
    }
    for name, pattern in patterns.items():
        for _, most, body in _repeats(regular.parse(pattern.pattern, pattern.flags & ~re.DEBUG)):
            inner = [repeat for repeat in _repeats(body) if repeat[1] is codes.MAXREPEAT]
            assert not (inner and most is codes.MAXREPEAT), f"{module}.{name} repeats a repetition: {pattern.pattern}"
