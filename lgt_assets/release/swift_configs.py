"""Ready configs of ms-swift 4.6.0 for a release in the format ``swift``: SFT by stage, then DPO or GRPO, in full or by LoRA.

`swift sft` and `swift rlhf` read them, from within the export's folder, and GRPO calls the export's ``rewards.py`` through a
plugin. Batch sizes and LoRA's rank are common starting points, tuned on no release; lengths come from the release's own rows.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from lgt_assets.release.training_steps import MAX_PIXELS, METHODS, MODEL, Method, TrainingStep, training_steps

FOLDER = "configs"
PLUGIN = "swift_plugin.py"
_PLUGIN_TEXT = '''"""Rewards of this data set for ms-swift's GRPO: lgt_answer and lgt_format; external_plugins names this file.

The columns solution, verification and choices of the JSONL files reach them by name. rewards.py must lie beside this file.
"""

import importlib.util
from pathlib import Path

from swift.rewards import ORM, orms


def _rewards():
    path = Path(__file__).resolve().with_name("rewards.py")
    spec = importlib.util.spec_from_file_location("lgt_release_rewards", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
    rows: Mapping[str, Mapping[str, int]], lengths: Mapping[str, int], *, image_max_pixels: int = MAX_PIXELS
) -> dict[str, str]:
    """Texts by relative path: ``configs/<full or lora>/<config>.yaml`` for each config with rows, and for RL the plugin.

    Args:
        rows: by config and split, as they are in the release.
        lengths: for each config with train rows the tokens that its longest row takes, of either split: for SFT and DPO of
            prompt, pictures and completion together, for RL of a completion. ms-swift refuses what is longer.
        image_max_pixels: larger pictures are scaled down to this area; the one that ``lengths`` were counted with.
    """
    steps = training_steps(rows)
    texts = {
        f"{FOLDER}/{method}/{step.config}.yaml": _text(step, method, lengths[step.config], image_max_pixels)
        for method in METHODS
        for step in steps
    }
    return texts | ({PLUGIN: _PLUGIN_TEXT} if any(step.task == "rl" for step in steps) else {})


def _text(step: TrainingStep, method: Method, length: int, image_max_pixels: int) -> str:
    command = "sft" if step.task == "sft" else "rlhf"
    head = [
        f"NPROC_PER_NODE=8 swift {command} {FOLDER}/{method}/{step.config}.yaml",
        "from the export's folder (from elsewhere ms-swift finds the pictures by ROOT_IMAGE_DIR=<that folder>).",
        "The batch is right for 8 devices: with fewer raise gradient_accumulation_steps.",
    ]
    settings = {"ENV": {"MAX_PIXELS": image_max_pixels}} | _start(step, method) | _settings(step, method)
    settings |= _grpo(length) if step.task == "rl" else {"max_length": length}
    return "".join(f"# {line}\n" for line in head) + yaml.safe_dump(settings, sort_keys=False)


def _start(step: TrainingStep, method: Method) -> dict[str, Any]:
    """Where a step starts: with LoRA the adapter before it is trained on; DPO and GRPO compare with the model as that was."""
    before = None if step.after is None else f"{_output(step.after, method)}/last-checkpoint"
    model = before if method == "full" and before is not None else MODEL
    # The type is told, so that weights in a folder of any name are known for what they are.
    start: dict[str, Any] = {"model": model, "model_type": "qwen2_5_vl", "template": "qwen2_5_vl"}
    if method == "full":
        return start
    start |= {"lora_rank": 64, "lora_alpha": 128, "target_modules": "all-linear"}
    if before is not None:
        start |= {"adapters": [before]} | ({} if step.task == "sft" else {"ref_adapters": [before]})
    return start


def _output(step: TrainingStep, method: Method) -> str:
    return f"outputs/{method}/{step.config}"


def _settings(step: TrainingStep, method: Method) -> dict[str, Any]:
    settings: dict[str, Any] = {"sft": {}, "dpo": {"rlhf_type": "dpo", "beta": 0.1}, "rl": {"rlhf_type": "grpo"}}[
        step.task
    ]
    settings |= {
        "tuner_type": method,
        "freeze_vit": True,
        "freeze_aligner": True,
        "torch_dtype": "bfloat16",
        "dataset": [f"{step.config}_train.jsonl"],
        "split_dataset_ratio": 0,
        # Rows that cannot be read or are too long raise an error; else ms-swift deletes them.
        "strict": True,
        "truncation_strategy": "delete",
        "output_dir": _output(step, method),
        "add_version": False,  # the next step looks for …/last-checkpoint here
        "learning_rate": step.learning_rate(method),
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,
        "num_train_epochs": 1,
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "dataloader_num_workers": 4,
        "logging_steps": 10,
        "save_steps": 500,
        "eval_strategy": "no",
        "report_to": "none",
        "check_model": False,  # it would tell a hub of this run
        "seed": 0,
    }
    if step.validated:
        settings |= {"val_dataset": [f"{step.config}_validation.jsonl"], "eval_strategy": "steps", "eval_steps": 500}
    return settings | ({"deepspeed": "zero3"} if method == "full" else {})


def _grpo(length: int) -> dict[str, Any]:
    """What only GRPO has; devices times their batch must be a multiple of the completions of one prompt."""
    return {
        "external_plugins": [PLUGIN],
        "reward_funcs": ["lgt_answer", "lgt_format"],
        "reward_weights": [0.9, 0.1],
        "num_generations": 8,
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 8,
        "gradient_accumulation_steps": 4,
        "max_completion_length": length,
        "temperature": 1.0,
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": 0.4,
        "log_completions": True,
    }
