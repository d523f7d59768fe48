"""Ready configs of ms-swift for Qwen2.5-VL-7B, full and LoRA, and the plugin through which its GRPO calls ``rewards.py``."""

from collections.abc import Mapping
from typing import Any

import yaml

from lgt_assets.release.training_steps import MODEL, TrainingStep, training_steps

PLUGIN = "swift_plugin.py"
_PLUGIN_TEXT = '''"""Rewards of this data set for ms-swift's GRPO: --external_plugins swift_plugin.py --reward_funcs lgt_answer lgt_format

The columns solution, verification and choices of the JSONL files reach them by name. rewards.py must lie beside this file.
"""

import importlib.util
from pathlib import Path

from swift.rewards import ORM, orms


def _rewards():
    path = Path(__file__).resolve().with_name("rewards.py")
    specification = importlib.util.spec_from_file_location("lgt_release_rewards", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


rewards = _rewards()


class AnswerReward(ORM):
    """1.0 for a completion whose final answer is right, else 0.0."""

    def __call__(self, completions, solution, verification=None, choices=None, **kwargs):
        return rewards.answer_reward(completions, ground_truth=solution, verification=verification, choices=choices)


class FormatReward(ORM):
    """1.0 for a completion of the form <think>…</think> <answer>…</answer>, else 0.0."""

    def __call__(self, completions, **kwargs):
        return rewards.format_reward(completions)


orms["lgt_answer"] = AnswerReward
orms["lgt_format"] = FormatReward
'''


def swift_configs(
    rows: Mapping[str, Mapping[str, int]],
    longest: Mapping[str, int],
    image_max_pixels: int,
    max_completion_length: int = 4096,
) -> dict[str, str]:
    """Files by path in the export; those of a step without train rows are left out.

    Args:
        rows: how many rows the export has, by config and split.
        longest: of each config with rows its longest row in tokens (of RL prompts: the prompt), pictures of
            ``image_max_pixels`` counted; ``max_length`` is the longest of a step, so that no row is deleted.
        image_max_pixels: larger pictures are scaled down to this area; it must be the one that ``longest`` was counted with.
        max_completion_length: tokens that GRPO lets the model write.
    """
    steps = training_steps(rows)
    files = {
        f"configs/{step.name}_{tuning}.yaml": _text(step, tuning, _settings(step, tuning, longest, image_max_pixels)
                                                    | (_grpo(max_completion_length) if step.task == "rl" else {}))
        for step in steps
        for tuning in ("full", "lora")
    }  # fmt: skip
    return files | ({PLUGIN: _PLUGIN_TEXT} if any(step.task == "rl" for step in steps) else {})


def _settings(step: TrainingStep, tuning: str, longest: Mapping[str, int], image_max_pixels: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"ENV": {"MAX_PIXELS": image_max_pixels}}
    settings |= {"sft": {}, "dpo": {"rlhf_type": "dpo", "beta": 0.1}, "rl": {"rlhf_type": "grpo"}}[step.task]
    settings |= _model(step, tuning)
    # Told, so that weights in a folder of any name are known for what they are.
    settings |= {"model_type": "qwen2_5_vl", "template": "qwen2_5_vl"}
    settings |= {"tuner_type": tuning, "freeze_vit": True, "freeze_aligner": True, "torch_dtype": "bfloat16"}
    if tuning == "lora":
        settings |= {"lora_rank": 64, "lora_alpha": 128, "target_modules": "all-linear"}
    else:
        settings |= {"deepspeed": "zero3"}
    settings |= {"dataset": [f"{config}_train.jsonl" for config in step.train], "split_dataset_ratio": 0}
    if step.validation:
        settings |= {"val_dataset": [f"{config}_validation.jsonl" for config in step.validation]}
    settings |= {"eval_strategy": "steps" if step.validation else "no", "eval_steps": 500}
    return settings | {
        # Rows that cannot be read or are too long raise an error; otherwise ms-swift deletes them.
        "strict": True,
        "truncation_strategy": "delete",
        "max_length": max(longest[config] for config in (*step.train, *step.validation)),
        "output_dir": f"saves/{step.name}_{tuning}",
        # The next step finds the newest checkpoint as …/last.
        "add_version": False,
        "create_checkpoint_symlink": True,
        "save_steps": 500,
        "logging_steps": 10,
        "report_to": "none",
        "check_model": False,  # it would tell a hub of this run
        "dataloader_num_workers": 4,
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "learning_rate": step.learning_rate(tuning),
        "num_train_epochs": 1,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,
    }


def _grpo(max_completion_length: int) -> dict[str, Any]:
    """The batch of a device times devices must be a multiple of ``num_generations``."""
    return {
        "external_plugins": [PLUGIN],
        "reward_funcs": ["lgt_answer", "lgt_format"],
        "reward_weights": [0.9, 0.1],
        "num_generations": 8,
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 8,
        "gradient_accumulation_steps": 1,
        "max_completion_length": max_completion_length,
        "temperature": 1.0,
        "beta": 0.04,
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": 0.4,
        "log_completions": True,
    }


def _model(step: TrainingStep, tuning: str) -> dict[str, Any]:
    """The adapter of SFT is trained on; DPO and GRPO compare with the model that has it as SFT left it."""
    if step.after is None:
        return {"model": MODEL}
    before = f"saves/{step.after}_{tuning}/last"
    if tuning == "full":
        return {"model": before}
    reference = {} if step.task == "sft" else {"ref_adapters": [before]}
    return {"model": MODEL, "adapters": [before]} | reference


def _text(step: TrainingStep, tuning: str, settings: Mapping[str, Any]) -> str:
    command = "sft" if step.task == "sft" else "rlhf"
    lines = [
        f"# {step.purpose}",
        "# In the export's folder, where the pictures' paths begin (from elsewhere: ROOT_IMAGE_DIR=the export's folder):",
        f"#   NPROC_PER_NODE=8 swift {command} configs/{step.name}_{tuning}.yaml",
    ]
    if step.after is not None:
        lines.append(f"# It goes on from configs/{step.after}_{tuning}.yaml.")
    return "\n".join(lines) + "\n" + yaml.safe_dump(dict(settings), sort_keys=False)
