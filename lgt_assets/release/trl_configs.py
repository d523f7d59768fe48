"""Ready configurations of TRL 1.16 for a release in the format ``hf``: SFT by stage, then DPO or GRPO, in full or by LoRA.

TRL's own command line reads them, from within the release's folder, so that nothing else is written here:
``trl sft --config configs/trl/full/sft_stage1.yaml``. A step starts from what the step before it wrote. Rates, batch sizes and
LoRA's rank are common starting points, not tuned on any release; lengths come from the release's own rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from lgt_assets.release.configs import CONFIGS, SPLITS, Task

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
FOLDER = "configs/trl"
METHODS = ("full", "lora")
Method = Literal["full", "lora"]
MERGE = f"{FOLDER}/merge_lora.py"
# What each config's training starts from, where that has rows: stage 1, then both stages, then DPO or GRPO on the result.
AFTER = {
    "sft_stage1": None,
    "sft_stage2": "sft_stage1",  # or, which the further steps start from, with stage 1 seen again:
    "sft_stage2_merged": "sft_stage1",
    "dpo_stage1": "sft_stage2_merged",
    "dpo_stage2": "dpo_stage1",
    "rl_stage1": "sft_stage2_merged",
    "rl_stage2": "rl_stage1",
}


@dataclass(frozen=True)
class _Training:
    """How one task is trained: the command, the rates of both methods, the batch of one device and what is accumulated."""

    command: str
    rates: Mapping[Method, float]
    batch: int
    accumulated: int


_TRAININGS: Mapping[Task, _Training] = {
    "sft": _Training("sft", {"full": 1e-5, "lora": 1e-4}, 1, 16),
    "dpo": _Training("dpo", {"full": 5e-7, "lora": 5e-6}, 1, 16),
    "rl": _Training("grpo", {"full": 1e-6, "lora": 1e-5}, 8, 4),
}
_COMPLETIONS = 8  # of one prompt, compared with one another
# The language model's linear layers: the vision tower stays as it is (peft matches the whole name).
_LORA = {
    "use_peft": True, "lora_r": 64, "lora_alpha": 128, "lora_dropout": 0.05,
    "lora_target_modules": [r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"],
}  # fmt: skip
_SHARDING = {
    "full": " --accelerate_config zero3",  # weights, gradients and Adam's moments of 7 B parameters: about 110 GB in all
    "lora": " --accelerate_config multi_gpu",
}
_MERGE_SOURCE = '''"""Merge what a LoRA run wrote into the weights it started from, so that the next step can start from the result.

    python {path} outputs/lora/sft_stage1

writes outputs/lora/sft_stage1/merged, where the next step's configuration looks for it.
"""

import json
import sys
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForImageTextToText, AutoProcessor

adapter = Path(sys.argv[1])
base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(base, dtype="auto"), adapter)
model.merge_and_unload().save_pretrained(adapter / "merged")
AutoProcessor.from_pretrained(base).save_pretrained(adapter / "merged")
'''


def trl_configs(
    rows: Mapping[str, Mapping[str, int]], lengths: Mapping[str, int], *, model: str = MODEL
) -> dict[str, str]:
    """Texts by relative path: ``configs/trl/<full or lora>/<config>.yaml`` for each config with rows, and a script for LoRA.

    A config without train rows has no file, and who would have started from its result starts from the step before.

    Args:
        rows: by config and split, as they are in the release.
        lengths: for each config with train rows the tokens that its longest row takes: for SFT and DPO of prompt, pictures and
            completion together, for RL of a completion. TRL cuts what is longer, silently.
        model: where the first step starts.
    """
    trained = [name for name in AFTER if rows.get(name, {}).get(SPLITS[0])]
    texts = {
        f"{FOLDER}/{method}/{name}.yaml": _text(
            name, method, lengths[name], _start(name, method, trained, model), bool(rows[name].get(SPLITS[1]))
        )
        for method in METHODS
        for name in trained
    }
    return texts | ({MERGE: _MERGE_SOURCE.format(path=MERGE)} if trained else {})


def _start(name: str, method: Method, trained: list[str], model: str) -> str:
    before = AFTER[name]
    while before is not None and before not in trained:
        before = AFTER[before]
    if before is None:
        return model
    return f"outputs/{method}/{before}" + ("/merged" if method == "lora" else "")


def _text(name: str, method: Method, length: int, start: str, validated: bool) -> str:
    training = _TRAININGS[CONFIGS[name].task]
    head = [
        f"trl {training.command} --config {FOLDER}/{method}/{name}.yaml{_SHARDING[method]}",
        "from the release's folder. The batch is right for 8 devices: with fewer raise gradient_accumulation_steps.",
    ]
    if method == "lora":
        head.append(f"Afterwards, for the next step: python {MERGE} outputs/{method}/{name}")
    settings = _settings(name, method, length, start, validated)
    return "".join(f"# {line}\n" for line in head) + yaml.safe_dump(settings, sort_keys=False, width=120)


def _settings(name: str, method: Method, length: int, start: str, validated: bool) -> dict[str, Any]:
    task = CONFIGS[name].task
    training = _TRAININGS[task]
    settings: dict[str, Any] = {
        "model_name_or_path": start,
        "dtype": "bfloat16",
        "dataset_name": f"./{name}",  # not "." with the config's name: datasets 5.2 has no name for that folder
        "dataset_train_split": SPLITS[0],
        "dataset_test_split": SPLITS[1],
        "eval_strategy": "epoch" if validated else "no",
        "output_dir": f"outputs/{method}/{name}",
        "learning_rate": training.rates[method],
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "num_train_epochs": 1,
        "per_device_train_batch_size": training.batch,
        "per_device_eval_batch_size": training.batch,
        "gradient_accumulation_steps": training.accumulated,
        "bf16": True,
        "logging_steps": 10,
        "save_strategy": "epoch",
        "save_total_limit": 1,
        "seed": 0,
    }
    if task == "rl":
        settings |= {
            "reward_funcs": ["rewards.answer_reward", "rewards.format_reward"],
            "reward_weights": [0.9, 0.1],
            "num_generations": _COMPLETIONS,
            "max_completion_length": length,
            "temperature": 1.0,
            "use_vllm": False,  # true where `trl[vllm]` is installed
        }
    else:
        settings["max_length"] = length
    return settings | (_LORA if method == "lora" else {})
