"""Every row of a release reaches ms-swift's trainers whole: the answer is trained on, the prompt is not, pictures are found."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lgt_assets_tests.trainers.released_rows import CONFIGS, SPLITS, ReleasedRow, hashes, released_rows
from lgt_assets_tests.trainers.swift.encoding import Encoder, encoder, load

pytest.importorskip("swift")
END = "<|im_end|>\n"
SIDES = {"sft": ("",), "dpo": ("chosen_", "rejected_")}


def names(*tasks: str) -> list[tuple[str, str]]:
    return [(config, split) for task in tasks for config in CONFIGS[task] for split in SPLITS]


def exported(exports: Path, config: str, split: str) -> list[dict[str, Any]]:
    lines = (exports / "swift" / f"{config}_{split}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def assert_pictures_are_named(written: dict[str, Any], row: ReleasedRow) -> None:
    """In the export's folder: ms-swift itself puts a placeholder that is missing before the text."""
    assert hashes(Path(path).read_bytes() for path in written["images"]) == row.shown
    assert written["messages"][0]["content"].count("<image>") == row.pictures


def assert_encoded(encode: Encoder, encoded: dict[str, Any], side: str, row: ReleasedRow, answer: str) -> None:
    ids, labels = encoded[f"{side}input_ids"], encoded[f"{side}labels"]
    assert encode.text(ids) == row.chat(answer)
    assert encode.trained(labels) == answer + END
    trained = sum(label != -100 for label in labels)
    assert labels[-trained:] == ids[-trained:]
    assert encode.pictures(ids, encoded.get(f"{side}image_grid_thw")) == row.pictures


@pytest.mark.parametrize(("config", "split"), names("sft", "dpo"))
def test_every_row_arrives_and_its_answer_alone_is_trained_on(
    config: str, split: str, exports: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exports / "swift")
    task = config.split("_")[0]
    encode = encoder(model_folder, {"sft": "train", "dpo": "rlhf"}[task])
    rows, arrived = released_rows(exports, config, split), load(f"{config}_{split}.jsonl")
    assert len(arrived) == len(rows) > 0
    for row, written, one in zip(rows, exported(exports, config, split), arrived, strict=True):
        assert [picture["path"] for picture in one["images"]] == written["images"]
        assert_pictures_are_named(written, row)
        encoded = encode.encode(one)
        for side, answer in zip(SIDES[task], row.answers, strict=True):
            assert_encoded(encode, encoded, side, row, answer)


@pytest.mark.parametrize(("config", "split"), names("rl"))
def test_every_prompt_arrives_with_what_its_reward_needs(
    config: str, split: str, exports: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exports / "swift")
    encode = encoder(model_folder, "train")
    rows, arrived = released_rows(exports, config, split), load(f"{config}_{split}.jsonl")
    assert len(arrived) == len(rows) > 0
    for row, written, one in zip(rows, exported(exports, config, split), arrived, strict=True):
        assert_pictures_are_named(written, row)
        assert (one["solution"], one["verification"], *one["choices"]) == row.answers
        encoded = encode.encode(one)
        assert encode.text(encoded["input_ids"]) == row.asked()
        assert encode.pictures(encoded["input_ids"], encoded.get("image_grid_thw")) == row.pictures


@pytest.mark.parametrize(("config", "split"), names("sft"))
def test_structured_rows_arrive_too(config: str, split: str, exports: Path, model_folder: Path) -> None:
    encode = encoder(model_folder, "train")
    rows = released_rows(exports, config, split)
    arrived = load(*sorted((exports / "structured" / config).glob(f"{split}-*.parquet")))
    assert len(arrived) == len(rows) > 0
    for row, one in zip(rows, arrived, strict=True):
        assert hashes(picture["bytes"] for picture in one["images"]) == row.shown
        assert_encoded(encode, encode.encode(one), "", row, *row.answers)


def test_a_bad_row_is_deleted_without_an_error_unless_ms_swift_is_strict(exports: Path, tmp_path: Path) -> None:
    rows = exported(exports, "sft_stage1", "train")
    rows[1]["messages"][-1]["role"] = "narrator"
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert len(load(file, strict=False)) == len(rows) - 1
    with pytest.raises(AssertionError, match="narrator"):
        load(file)


def test_a_moved_export_is_read_from_elsewhere_if_ms_swift_is_told_where_it_lies(
    exports: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(exports / "swift", moved)
    monkeypatch.chdir(tmp_path)
    encode = encoder(model_folder, "train")
    row = next(row for row in load(moved / "sft_stage1_train.jsonl") if row["images"])
    with pytest.raises(FileNotFoundError):
        encode.encode(row)
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(moved))
    assert len(encode.encode(row)["image_grid_thw"]) == len(row["images"])


def test_a_max_length_of_the_longest_row_takes_all_and_one_less_does_not(
    exports: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swift.template import MaxLengthError

    monkeypatch.chdir(exports / "swift")
    rows = load("sft_stage1_train.jsonl")
    lengths = [len(encoder(model_folder, "train").encode(row)["input_ids"]) for row in rows]
    longest = rows[lengths.index(max(lengths))]
    encoder(model_folder, "train", max(lengths)).encode(longest)
    with pytest.raises(MaxLengthError):
        encoder(model_folder, "train", max(lengths) - 1).encode(longest)
