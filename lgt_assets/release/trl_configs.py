"""Ready configurations of TRL 1.16 for a release in the format ``hf``: SFT by stage, then DPO or GRPO, in full or by LoRA.

TRL's own command line reads them, from within the release's folder: ``trl sft --config configs/trl/full/sft_stage1.yaml``.
Batch sizes and LoRA's rank are common starting points, tuned on no release; lengths come from the release's own rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from lgt_assets.release.configs import SPLITS, Task
from lgt_assets.release.training_steps import METHODS, MODEL, Method, TrainingStep, training_steps

FOLDER = "configs/trl"
MERGE = f"{FOLDER}/merge_lora.py"
_COMPLETIONS = 8  # of one prompt, compared with one another


@dataclass(frozen=True)
class _Command:
    """TRL's command for a task, the batch of one device, and how many of these make a step of the optimizer."""

    name: str
    batch: int
    accumulated: int


_COMMANDS: Mapping[Task, _Command] = {
    "sft": _Command("sft", 1, 16),
    "dpo": _Command("dpo", 1, 16),
    "rl": _Command("grpo", _COMPLETIONS, 4),
}
_LORA = {
    "use_peft": True,
    "lora_r": 64,
    "lora_alpha": 128,
    "lora_dropout": 0.05,
    # The language model's linear layers: the vision tower stays as it is.
    "lora_target_modules": [r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"],
}
# In full, 7 B weights with gradients and Adam's moments (about 110 GB) fit no GPU: ZeRO stage 3 spreads them.
_DEVICES: Mapping[Method, str] = {"full": "zero3", "lora": "multi_gpu"}
_MERGE_SOURCE = '''"""Merge what a LoRA run wrote into the weights it started from, for the next step to start from the result.

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


def trl_configs(rows: Mapping[str, Mapping[str, int]], lengths: Mapping[str, int]) -> dict[str, str]:
    """Texts by relative path: ``configs/trl/<full or lora>/<config>.yaml`` for each config with rows, and LoRA's merging.

    Args:
        rows: by config and split, as they are in the release.
        lengths: for each config with train rows the tokens that its longest row takes, of either split: for SFT and DPO of
            prompt, pictures and completion together, for RL of a completion. TRL cuts what is longer, silently.
    """
    steps = training_steps(rows)
    texts = {
        f"{FOLDER}/{method}/{step.config}.yaml": _text(step, method, lengths[step.config])
        for method in METHODS
        for step in steps
    }
    return texts | ({MERGE: _MERGE_SOURCE.format(path=MERGE)} if steps else {})


def _text(step: TrainingStep, method: Method, length: int) -> str:
    path = f"{FOLDER}/{method}/{step.config}.yaml"
    head = [
        f"trl {_COMMANDS[step.task].name} --config {path} --accelerate_config {_DEVICES[method]}",
        "from the release's folder. The batch is meant for 8 devices: with fewer raise gradient_accumulation_steps.",
    ]
    if method == "lora":
        head.append(f"Afterwards, for the next step: python {MERGE} outputs/{method}/{step.config}")
    if step.task == "rl":
        head.append("Where TRL's vLLM is installed, use_vllm: true generates with it.")
    comments = "".join(f"# {line}\n" for line in head)
    return comments + yaml.safe_dump(_settings(step, method, length), sort_keys=False, width=120)


def _settings(step: TrainingStep, method: Method, length: int) -> dict[str, Any]:
    command = _COMMANDS[step.task]
    settings: dict[str, Any] = {
        "model_name_or_path": _start(step, method),
        "dtype": "bfloat16",
        "dataset_name": f"./{step.config}",  # not "." with the config's name: datasets 5.2 has no name for that folder
        "dataset_train_split": SPLITS[0],
        "dataset_test_split": SPLITS[1],
        "eval_strategy": "epoch" if step.validated else "no",
        "output_dir": f"outputs/{method}/{step.config}",
        "learning_rate": step.learning_rate(method),
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,  # of all steps
        "num_train_epochs": 1,
        "per_device_train_batch_size": command.batch,
        "per_device_eval_batch_size": command.batch,
        "gradient_accumulation_steps": command.accumulated,
        "bf16": True,
        "logging_steps": 10,
        "save_strategy": "epoch",
        "save_total_limit": 1,
        "seed": 0,
    }
    if step.task == "rl":
        settings |= {
            "reward_funcs": [
                "rewards.answer_reward",
                "rewards.format_reward",
            ],  # of the file rewards.py beside the rows
            "reward_weights": [0.9, 0.1],
            "num_generations": _COMPLETIONS,
            "max_completion_length": length,
            "temperature": 1.0,
            "use_vllm": False,
        }
    else:
        settings["max_length"] = length
    return settings | (_LORA if method == "lora" else {})


def _start(step: TrainingStep, method: Method) -> str:
    if step.after is None:
        return MODEL
    return f"outputs/{method}/{step.after.config}" + ("/merged" if method == "lora" else "")
