"""The shipped model, and how it is examined."""

import json

import pytest

from lgt_assets.embedded.evaluation import WEIGHTS, Evaluation, Share, evaluate, format_table
from lgt_assets.embedded.examinations import TYPES, papers, type_of
from lgt_assets.embedded.grammar import resolve
from lgt_assets.embedded.verdicts import CANNOT_KNOW
from lgt_assets.errors import EngineError


def test_wilson_intervals() -> None:
    low, high = Share(90, 100).interval()
    assert (round(low, 4), round(high, 4)) == (0.8256, 0.9448)
    assert Share(0, 0).interval() == (0.0, 1.0)


def test_papers_are_held_out_balanced_and_repeatable() -> None:
    first, again = papers(40, 0), papers(40, 0)
    assert first.texts == again.texts != papers(40, 1).texts
    assert all(example.scene.seed < 2**32 for rows in first.examples.values() for example in rows)
    types = [type_of(example) for example in first.examples["vlm"]]
    assert all(types.count(name) == 8 for name in TYPES)


def test_what_is_withheld_cannot_be_known_and_has_a_true_answer_among_its_choices() -> None:
    rows = papers(60, 0)
    assert rows.count("withheld") == len(rows.examples["withheld"]) == 12
    for example, text in zip(rows.examples["withheld"], rows.texts["withheld"], strict=True):
        assert "Objects:" not in text and "Caption:" not in text and text.count("Known: ") >= 1
        assert resolve(example.ask, example.scene) in example.choices and CANNOT_KNOW in example.reply
    assert not any(CANNOT_KNOW in example.reply for example in rows.examples["verifier"])


def test_the_table_holds_every_score_with_its_interval() -> None:
    row = {name: Share(9, 10) for name in (*TYPES, "all")}
    shares = {part: row for part in ("accuracy", "blank_image", "shuffled_image")} | {
        "vlm": {"without_choices": Share(2, 4)},
        "reasoner": {"all": Share(5, 10), "after_wrong": Share(1, 2)},
        "composer": {"key_right": Share(1, 1)},
        "questioner": {"key_right": Share(1, 1), "duplicate_options": Share(0, 1)},
        "verifier": {"all": Share(1, 1)},
    }
    result = Evaluation(shares)
    assert json.loads(json.dumps(result)) == {
        "n": 10,
        **{part: dict.fromkeys((*TYPES, "all"), 0.9) for part in ("accuracy", "blank_image", "shuffled_image")},
        "roles": {
            "vlm": {"without_choices": 0.5},
            "reasoner": {"all": 0.5, "after_wrong": 0.5},
            "composer": {"key_right": 1.0},
            "questioner": {"key_right": 1.0, "duplicate_options": 0.0},
            "verifier": {"all": 1.0},
        },
    }
    table = format_table(result)
    assert all(name in table for name in (*TYPES, "after wrong", "duplicate options")) and "0.900 (0.60-0.98)" in table


def test_a_folder_without_a_model_is_named(tmp_path) -> None:
    with pytest.raises(EngineError, match=str(tmp_path)):
        evaluate(tmp_path, n=5)


def test_the_shipped_model_is_small_and_of_the_real_class() -> None:
    from transformers import AutoModelForImageTextToText

    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) <= 30_000_000
    assert type(AutoModelForImageTextToText.from_pretrained(WEIGHTS)).__name__ == "Qwen2_5_VLForConditionalGeneration"
    assert "nothing but" in (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_shipped_model_looks_and_reasons() -> None:
    result = evaluate(n=60, threads=1)
    assert result["accuracy"]["all"] >= 0.8
    assert max(result["blank_image"]["all"], result["shuffled_image"]["all"]) <= 0.55
    assert result["roles"]["reasoner"]["all"] >= 0.85
    assert result["roles"]["verifier"]["all"] >= 0.7
    assert result["roles"]["verifier"]["consistency"] >= 0.8
    assert result["roles"]["verifier"]["withheld_guessed_right"] <= 0.6
    assert result["roles"]["composer"]["key_right"] >= 0.5
