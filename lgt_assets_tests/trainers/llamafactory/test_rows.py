"""Every exported row reaches LLaMA-Factory's trainer: the answer is trained on, the prompt is not, and pictures are where it looks."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llamafactory")

from lgt_assets_tests.trainers.llamafactory.reading import EXPORT, MASKED, WEIGHTS, load, rows_of, write_rows

UNCUT = 32_768
END = "<|im_end|>\n"
INFO = json.loads((EXPORT / "dataset_info.json").read_text()) if EXPORT.is_dir() else {}
PAIRS = sorted(name for name, entry in INFO.items() if entry.get("ranking"))
CHATS = sorted(set(INFO) - set(PAIRS))


def test_both_kinds_of_datasets_are_exported() -> None:
    assert CHATS and PAIRS, f"{EXPORT} has no export for LLaMA-Factory: make trainer-exports"
    assert {entry["file_name"] for entry in INFO.values()} == {path.name for path in EXPORT.glob("*.jsonl")}


def source_rows(name: str) -> list[dict[str, Any]]:
    return rows_of(EXPORT / INFO[name]["file_name"])


def prompt_text(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The prompt in Qwen2.5-VL's own chat format, one pad a picture."""
    turns = []
    for message in messages:
        texts = message["content"].split("<image>")
        parts = [{"type": "text", "text": texts[0]}]
        for text in texts[1:]:
            parts += [{"type": "image"}, {"type": "text", "text": text}]
        turns.append({"role": message["role"], "content": parts})
    template = (WEIGHTS / "chat_template.jinja").read_text()
    return tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False, add_generation_prompt=True)


def assert_answer_is_trained_on(tokenizer: Any, ids: list[int], labels: list[int], prompt: str, answer: str) -> None:
    assert len(ids) == len(labels)
    trained = [token for token, label in zip(ids, labels, strict=True) if label != MASKED]
    assert trained == [label for label in labels if label != MASKED]
    assert tokenizer.decode(trained) == answer + END
    masked = tokenizer.decode(ids[: -len(trained)])
    assert re.sub(r"(<\|image_pad\|>)+", "<|image_pad|>", masked) == prompt


def assert_pictures_agree(processor: Any, ids: list[int], arrived: list[str] | None, row: dict[str, Any]) -> None:
    from PIL import Image

    paths = arrived or []
    assert [Path(path) for path in paths] == [EXPORT / path for path in row["images"]]
    assert row["messages"][0]["content"].count("<image>") == len(paths)
    pictures = [Image.open(path).convert("RGB") for path in paths]
    pads = 0
    if pictures:
        grid = processor.image_processor(pictures, return_tensors="pt")["image_grid_thw"]
        pads = int(grid.prod(dim=1).sum()) // processor.image_processor.merge_size**2
    assert ids.count(processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")) == pads
    assert ids.count(processor.tokenizer.convert_tokens_to_ids("<|vision_start|>")) == len(pictures)


@pytest.mark.parametrize("name", CHATS)
def test_every_chat_arrives(name: str) -> None:
    rows, loaded = source_rows(name), load("sft", name, cutoff_len=UNCUT)
    assert len(loaded["train_dataset"]) == len(rows)
    for row, arrived in zip(rows, loaded["train_dataset"], strict=True):
        *prompt, answer = row["messages"]
        told = prompt_text(loaded["tokenizer"], prompt)
        assert_answer_is_trained_on(
            loaded["tokenizer"], arrived["input_ids"], arrived["labels"], told, answer["content"]
        )
        assert_pictures_agree(loaded["processor"], arrived["input_ids"], arrived["images"], row)


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_arrives(name: str) -> None:
    rows, loaded = source_rows(name), load("rm", name, cutoff_len=UNCUT)
    assert len(loaded["train_dataset"]) == len(rows)
    for row, arrived in zip(rows, loaded["train_dataset"], strict=True):
        told = prompt_text(loaded["tokenizer"], row["messages"])
        for side in ("chosen", "rejected"):
            ids, labels = arrived[f"{side}_input_ids"], arrived[f"{side}_labels"]
            assert_answer_is_trained_on(loaded["tokenizer"], ids, labels, told, row[side]["content"])
            assert_pictures_agree(loaded["processor"], ids, arrived["images"], row)


@pytest.mark.parametrize(("stage", "name"), [("sft", CHATS[0]), ("rm", PAIRS[0])] if INFO else [])
def test_a_bad_row_is_skipped_without_an_error_so_that_counting_is_needed(
    stage: str, name: str, tmp_path: Path
) -> None:
    rows = source_rows(name)
    rows[1]["messages"][0]["role"] = "assistant"
    write_rows(tmp_path / INFO[name]["file_name"], rows)
    shutil.copy(EXPORT / "dataset_info.json", tmp_path)
    loaded = load(stage, name, folder=tmp_path, media_dir=str(EXPORT), cutoff_len=UNCUT)
    assert len(loaded["train_dataset"]) == len(rows) - 1


def test_pictures_are_found_wherever_the_export_lies(tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(EXPORT, moved)
    name = CHATS[0]
    loaded = load("sft", name, folder=moved, cutoff_len=UNCUT)
    paths = {Path(path) for arrived in loaded["train_dataset"] for path in arrived["images"] or ()}
    assert paths == {moved / path for row in source_rows(name) for path in row["images"]}
