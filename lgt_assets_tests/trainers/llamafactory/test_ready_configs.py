"""The export's own configs are what LLaMA-Factory's parser takes, and load every row of the release uncut."""

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from lgt_assets_tests.trainers.llamafactory.loading import load
from lgt_assets_tests.trainers.released_rows import CONFIGS, released_rows

pytest.importorskip("llamafactory")
METHODS = ("full", "lora")
NAMES = [(method, task, config) for method in METHODS for task in ("sft", "dpo") for config in CONFIGS[task]]
# What this machine has not: the published model, earlier steps' weights, GPUs, and deepspeed, which asks for them.
HERE = {"use_cpu": True, "bf16": False, "overwrite_cache": True, "preprocessing_num_workers": 1}
NOT_HERE = ("deepspeed", "adapter_name_or_path")


def read(exports: Path, method: str, config: str) -> dict[str, Any]:
    path = exports / "llamafactory" / "configs" / method / f"{config}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("method", "task", "config"), NAMES)
def test_every_key_is_an_argument_of_llamafactory(method: str, task: str, config: str, exports: Path) -> None:
    from llamafactory.hparams.parser import _TRAIN_ARGS

    settings = read(exports, method, config)
    assert set(settings) <= {field.name for arguments in _TRAIN_ARGS for field in fields(arguments)}
    assert (settings["stage"], settings["finetuning_type"]) == (task, method)


@pytest.mark.parametrize(("method", "task", "config"), NAMES)
def test_its_parser_takes_the_config_and_its_loader_every_row_uncut(
    method: str, task: str, config: str, exports: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exports / "llamafactory")
    settings = {key: value for key, value in read(exports, method, config).items() if key not in NOT_HERE}
    loaded = load(settings | HERE | {"model_name_or_path": str(model_folder)})
    for split, arrived in (("train", loaded.train), ("validation", loaded.validation)):
        rows = released_rows(exports, config, split)
        assert len(arrived) == len(rows) > 0
        for row, one in zip(rows, arrived, strict=True):
            labels = [one["labels"]] if task == "sft" else [one["chosen_labels"], one["rejected_labels"]]
            assert [loaded.trained(each) for each in labels] == [answer + "<|im_end|>\n" for answer in row.answers]


@pytest.mark.parametrize(("method", "task", "config"), NAMES)
def test_a_step_starts_from_what_earlier_ones_wrote(method: str, task: str, config: str, exports: Path) -> None:
    settings = read(exports, method, config)
    written = {read(exports, method, other)["output_dir"] for _, _, other in NAMES} - {settings["output_dir"]}
    key = "adapter_name_or_path" if method == "lora" else "model_name_or_path"
    start = {path for path in settings.get(key, "").split(",") if path} - {"Qwen/Qwen2.5-VL-7B-Instruct"}
    assert start <= written
    assert bool(start) == (config != "sft_stage1")
    # The reference of DPO with LoRA is the model without the adapter that is trained: earlier ones must have been merged.
    assert settings.get("create_new_adapter", False) == (method == "lora" and config != "sft_stage1")


def test_each_step_of_lora_goes_on_from_the_ones_before(
    exports: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llamafactory.train.tuner import run_exp

    monkeypatch.chdir(tmp_path)
    folder = str(exports / "llamafactory")
    here = HERE | {
        "model_name_or_path": str(model_folder), "dataset_dir": folder, "media_dir": folder, "dataloader_num_workers": 0,
        "max_steps": 1, "gradient_accumulation_steps": 1, "eval_strategy": "no", "logging_steps": 1,
        # Fast, so that the model after SFT is another than the one before it.
        "learning_rate": 0.01,
    }  # fmt: skip
    for config in ("sft_stage1", "sft_stage2_merged", "dpo_stage1"):
        settings = read(exports, "lora", config) | here
        run_exp(settings)
        state = json.loads((Path(settings["output_dir"]) / "trainer_state.json").read_text())
        loss = state["log_history"][0]["loss"]
        assert math.isfinite(loss)
    assert loss == pytest.approx(math.log(2), abs=1e-4), "the reference of DPO is not the model after SFT"


def test_the_file_for_deepspeed_lies_where_the_configs_say(exports: Path) -> None:
    folder = exports / "llamafactory"
    assert {read(exports, "full", config).get("deepspeed") for _, _, config in NAMES} == {
        "configs/deepspeed_zero3.json"
    }
    assert yaml.safe_load((folder / "configs" / "deepspeed_zero3.json").read_text())["zero_optimization"]["stage"] == 3
