"""True keys before and after the filters."""

import json

from lgt_assets.schemas import frame
from lgt_assets.synthesis.candidates import candidate_json, read_candidate
from lgt_assets.synthesis.key_accuracy import before_and_after, key_accuracy
from lgt_assets.synthesis.planned import Outcome
from lgt_assets_tests.rows import SHARD, image_row, question_row

IMAGE = image_row()
TRUE = {"What 0?": "red", "What 1?": "green", "What 2?": "red", "What 3?": "green"}


def _judge(candidate):
    assert candidate["image_id"] == IMAGE["image_id"]
    right = TRUE.get(candidate["question"])
    return None if right is None else right == candidate["choices"][candidate["answer_index"]]


def _tables():
    """Keys all say red: accepted 0 (true), 1 (false) and 9 (unknown); disputed 2 (true) and 3 (false)."""
    rows = {number: question_row(IMAGE, [], number, question=f"What {number}?") for number in (0, 1, 2, 3, 9)}
    outcome = Outcome()
    for number in (2, 3):
        raw = candidate_json(rows[number])
        outcome.reject(SHARD, "seed_questions", "key_disputed", request_key=None, parent_id=None, raw=raw)
    outcome.reject(SHARD, "seed_questions", "no_question", request_key=None, parent_id=None, raw="Sorry")
    outcome.reject(SHARD, "composed_questions", "not_supported", request_key=None, parent_id=None, raw=raw)
    return frame("seed_questions", [rows[0], rows[1], rows[9]]), frame("rejections", list(outcome.rejections))


def test_keys_are_counted_by_what_became_of_them():
    accuracy = key_accuracy(*_tables(), _judge, asset="seed_questions")
    assert accuracy.rows() == [("seed_questions", "accepted", 3, 2, 1), ("seed_questions", "key_disputed", 2, 2, 1)]
    summed = before_and_after(accuracy)
    assert summed["before"] == {"judged": 4, "right": 2, "accuracy": 0.5}
    assert summed["after"] == {"judged": 2, "right": 1, "accuracy": 0.5}


def test_nothing_judged_has_no_accuracy():
    questions, rejections = _tables()
    accuracy = key_accuracy(questions.clear(), rejections.clear(), _judge, asset="seed_questions")
    assert before_and_after(accuracy)["after"] == {"judged": 0, "right": 0, "accuracy": None}


def test_only_a_whole_candidate_is_read_as_one():
    row = question_row(IMAGE, [])
    assert read_candidate(candidate_json(row))["choices"] == row["choices"]
    assert read_candidate(candidate_json(row | {"composition_kind": "bridge"}))["composition_kind"] == "bridge"
    for raw in ("", "Sorry", "[]", "3", json.dumps({"question": "What?"})):
        assert read_candidate(raw) is None
