"""Every exported row reaches ms-swift's trainers: the answer is trained on, the prompt is not, and pictures are found."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("swift")

from lgt_assets_tests.trainers.swift.reading import (
    EXPORT,
    STRUCTURED,
    load,
    processor,
    prompt_text,
    rows_of,
    template,
    text_of,
    trained_text,
)

END = "<|im_end|>\n"
FILES = sorted(EXPORT.glob("*.jsonl"))
CHATS, PAIRS, PROMPTS = ([file for file in FILES if file.name.startswith(task)] for task in ("sft", "dpo", "rl"))


def test_all_kinds_of_rows_are_exported() -> None:
    assert CHATS and PAIRS and PROMPTS, f"{EXPORT} has no export for ms-swift: make trainer-exports"


def assert_encoded(encoded: dict[str, Any], side: str, prompt: list[dict[str, str]], answer: str) -> None:
    ids, labels = encoded[f"{side}input_ids"], encoded[f"{side}labels"]
    assert trained_text(labels) == answer + END
    told = text_of(ids)
    assert told == prompt_text(prompt) + answer + END
    assert_pictures_agree(ids, encoded.get(f"{side}image_grid_thw"), prompt)


def assert_pictures_agree(ids: list[int], grid: Any, prompt: list[dict[str, str]]) -> None:
    pictures = sum(message["content"].count("<image>") for message in prompt)
    assert (0 if grid is None else len(grid)) == pictures
    pads = 0 if grid is None else int(grid.prod(dim=1).sum()) // processor().image_processor.merge_size ** 2
    assert ids.count(processor().tokenizer.convert_tokens_to_ids("<|image_pad|>")) == pads >= pictures


@pytest.mark.parametrize("file", CHATS, ids=lambda file: file.stem)
def test_every_chat_arrives(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXPORT)
    rows, loaded, chat = rows_of(file), load(file), template("train")
    assert len(loaded) == len(rows)
    for row, arrived in zip(rows, loaded, strict=True):
        assert [picture["path"] for picture in arrived["images"]] == row["images"]
        assert_encoded(chat.encode(arrived), "", row["messages"][:-1], row["messages"][-1]["content"])


@pytest.mark.parametrize("file", PAIRS, ids=lambda file: file.stem)
def test_every_pair_arrives(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXPORT)
    rows, loaded, chat = rows_of(file), load(file), template("rlhf")
    assert len(loaded) == len(rows)
    for row, arrived in zip(rows, loaded, strict=True):
        encoded = chat.encode(arrived)
        assert_encoded(encoded, "chosen_", row["messages"][:-1], row["messages"][-1]["content"])
        assert_encoded(encoded, "rejected_", row["messages"][:-1], row["rejected_response"])


@pytest.mark.parametrize("file", PROMPTS, ids=lambda file: file.stem)
def test_every_prompt_arrives_with_what_its_reward_needs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXPORT)
    rows, loaded, chat = rows_of(file), load(file), template("train")
    assert len(loaded) == len(rows)
    for row, arrived in zip(rows, loaded, strict=True):
        assert {name: arrived[name] for name in ("solution", "verification", "choices")} == {
            name: row[name] for name in ("solution", "verification", "choices")
        }
        encoded = chat.encode(arrived)
        assert text_of(encoded["input_ids"]) == prompt_text(row["messages"])
        assert_pictures_agree(encoded["input_ids"], encoded.get("image_grid_thw"), row["messages"])


@pytest.mark.parametrize(
    "file", sorted(STRUCTURED.glob("*/*.parquet")), ids=lambda file: f"{file.parent.name}_{file.stem}"
)
def test_structured_chats_arrive_as_those_with_placeholders_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = file.stem.split("-")[0]
    rows, loaded, chat = rows_of(EXPORT / f"{file.parent.name}_{split}.jsonl"), load(file), template("train")
    assert len(loaded) == len(rows)
    for row, arrived in zip(rows, loaded, strict=True):
        assert_encoded(chat.encode(arrived), "", row["messages"][:-1], row["messages"][-1]["content"])


def test_a_bad_row_is_deleted_without_an_error_unless_ms_swift_is_strict(tmp_path: Path) -> None:
    rows = rows_of(CHATS[0])
    rows[1]["messages"][-1]["role"] = "narrator"
    file = tmp_path / CHATS[0].name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(load(file, strict=False)) == len(rows) - 1
    with pytest.raises(AssertionError, match="narrator"):
        load(file)


def test_pictures_are_found_from_elsewhere_if_ms_swift_is_told_where_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(EXPORT, moved)
    monkeypatch.chdir(tmp_path)
    row = next(row for row in load(moved / CHATS[0].name) if row["images"])
    with pytest.raises(FileNotFoundError):
        template("train").encode(row)
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(moved))
    assert len(template("train").encode(row)["image_grid_thw"]) == 1
