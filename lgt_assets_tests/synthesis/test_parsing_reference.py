"""The parsers against real outputs that people adjudicated; the data lies beside the repository, not in it."""

import json
from pathlib import Path

import pytest

from lgt_assets.synthesis.parsing import ParsedQuestion, ParsedTrace, answer_index, parse_questions, parse_trace

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference" / "lpt"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"the adjudicated outputs are not at {REFERENCE}")
LETTERS = "ABCDEFGHIJ"


def _lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (REFERENCE / name).read_text(encoding="utf-8").splitlines()]


def test_every_written_question_is_read_exactly():
    expected = _lines("questions_expected.jsonl")
    parsed = [
        (line["image_id"], item)
        for line in _lines("question_writer.jsonl")
        for item in parse_questions(line["response"])
    ]
    assert all(isinstance(item, ParsedQuestion) for _, item in parsed)
    assert [
        {
            "image_id": image_id, "question": item.question, "choices": item.choices,
            "answer": item.choices[item.answer_index], "question_type": item.question_type,
        }
        for image_id, item in parsed
    ] == [{name: value for name, value in line.items() if name != "question_id"} for line in expected]  # fmt: skip
    assert len(parsed) == 24


@pytest.mark.parametrize(("file", "count"), [("vlm_cots.jsonl", 240), ("reasoner_expansions.jsonl", 720)])
def test_every_letter_and_every_verdict_is_the_adjudicated_one(file, count):
    letters, right = [], []
    for line in _lines(file):
        choices, prefix = line["choices_shown"], line.get("prefix", "")
        for text, letter, correct in zip(
            line["completions"], line["expected_letter"], line["expected_correct"], strict=True
        ):
            trace = parse_trace(text, choices, prefix=prefix)
            index = trace.answer_index if isinstance(trace, ParsedTrace) else None
            got = None if index is None else LETTERS[index]
            letters.append((got, letter))
            right.append((got == line["right_letter"], bool(correct)))
            assert answer_index(prefix + text, choices) == index
    assert len(letters) == count
    assert [pair for pair in letters if pair[0] != pair[1]] == []
    assert [pair for pair in right if pair[0] != pair[1]] == []


def test_the_thought_of_an_expansion_keeps_its_prefix():
    for line in _lines("reasoner_expansions.jsonl"):
        for text in line["completions"]:
            trace = parse_trace(text, line["choices_shown"], prefix=line["prefix"])
            if isinstance(trace, ParsedTrace):
                assert trace.thought.startswith(line["prefix"].removeprefix("<think>").strip())
