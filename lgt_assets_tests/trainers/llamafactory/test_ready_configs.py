"""The ready configs are what LLaMA-Factory takes, and cut no answer; its own default would."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("llamafactory")

from lgt_assets_tests.trainers.llamafactory.reading import (
    EXPORT,
    MASKED,
    WEIGHTS,
    load,
    load_as_told,
    rows_of,
    write_rows,
)

CONFIGS = sorted((EXPORT / "configs").glob("*.yaml"))
INFO = json.loads((EXPORT / "dataset_info.json").read_text()) if EXPORT.is_dir() else {}
# What this machine has not: the published model, earlier steps' weights, GPUs, and deepspeed, which asks for them.
HERE = {"model_name_or_path": str(WEIGHTS), "use_cpu": True, "bf16": False, "overwrite_cache": True,
        "preprocessing_num_workers": 1}  # fmt: skip
NOT_HERE = ("deepspeed", "adapter_name_or_path")


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_is_a_config_for_each_step_full_and_lora() -> None:
    steps = ("sft_stage1", "sft_stage2_merged", "dpo")
    assert {path.stem for path in CONFIGS} == {f"{step}_{tuning}" for step in steps for tuning in ("full", "lora")}


def test_every_key_is_an_argument_of_llamafactory() -> None:
    from dataclasses import fields

    from llamafactory.hparams.parser import _TRAIN_ARGS

    known = {field.name for arguments in _TRAIN_ARGS for field in fields(arguments)}
    for path in CONFIGS:
        assert set(read(path)) <= known, path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_loads_all_its_rows_uncut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXPORT)
    settings = read(path)
    assert settings["finetuning_type"] == "lora" or Path(settings["deepspeed"]).is_file()
    loaded = load_as_told({key: value for key, value in settings.items() if key not in NOT_HERE} | HERE)
    for key, split in (("train_dataset", "dataset"), ("eval_dataset", "eval_dataset")):
        rows = [row for name in settings[split].split(",") for row in rows_of(Path(INFO[name]["file_name"]))]
        assert len(loaded[key]) == len(rows)
        answers = [
            answer for row, arrived in zip(rows, loaded[key], strict=True) for answer in answers_of(row, arrived)
        ]
        for answer, labels in answers:
            assert loaded["tokenizer"].decode([label for label in labels if label != MASKED]) == answer + "<|im_end|>\n"


def answers_of(row: dict[str, Any], arrived: dict[str, Any]) -> list[tuple[str, list[int]]]:
    if "labels" in arrived:
        return [(row["messages"][-1]["content"], arrived["labels"])]
    return [(row[side]["content"], arrived[f"{side}_labels"]) for side in ("chosen", "rejected")]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_step_goes_on_from_one_that_is_there(path: Path) -> None:
    settings = read(path)
    written = {read(other)["output_dir"] for other in CONFIGS}
    tuning = settings["finetuning_type"]
    start = (
        settings["adapter_name_or_path" if tuning == "lora" else "model_name_or_path"]
        if path.stem[:10] != "sft_stage1"
        else None
    )
    assert start is None or start in written
    # The reference of DPO with LoRA is the model without the trained adapter: SFT's must have been merged before.
    assert settings.get("create_new_adapter", False) == (path.stem == "dpo_lora")


def longest_of(loaded: dict[str, Any]) -> int:
    return max(len(arrived["input_ids"]) for arrived in loaded["train_dataset"])


def test_cutoff_len_of_the_longest_row_cuts_nothing_and_one_less_does() -> None:
    name = "lgt_sft_stage1_train"
    longest = longest_of(load("sft", name, cutoff_len=32_768))
    assert total(load("sft", name, cutoff_len=longest)) == total(load("sft", name, cutoff_len=32_768))
    assert total(load("sft", name, cutoff_len=longest - 1)) < total(load("sft", name, cutoff_len=32_768))


def total(loaded: dict[str, Any]) -> int:
    return sum(len(arrived["input_ids"]) for arrived in loaded["train_dataset"])


def test_llamafactorys_default_cuts_a_long_answer_away(tmp_path: Path) -> None:
    name = "lgt_sft_stage1_train"
    rows = rows_of(EXPORT / INFO[name]["file_name"])
    answer = rows[0]["messages"][-1]
    answer["content"] = answer["content"].replace("</think>", " Let me look again." * 2_000 + "</think>")
    write_rows(tmp_path / INFO[name]["file_name"], rows[:1])
    shutil.copy(EXPORT / "dataset_info.json", tmp_path)
    here = {"folder": tmp_path, "media_dir": str(EXPORT)}
    cut, whole = load("sft", name, **here), load("sft", name, cutoff_len=32_768, **here)
    labels = [[label for label in one["train_dataset"][0]["labels"] if label != MASKED] for one in (cut, whole)]
    assert len(labels[0]) < 2_048 < len(labels[1])
    assert "<answer>" not in cut["tokenizer"].decode(labels[0])
    assert whole["tokenizer"].decode(labels[1]).endswith("</answer><|im_end|>\n")
