"""Ready configs of LLaMA-Factory for Qwen2.5-VL-7B: SFT on stage 1, then on both stages, then DPO; full and LoRA."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from lgt_assets.release.dataset_info import dataset_name
from lgt_assets.release.training_steps import MODEL, TrainingStep, training_steps

DEEPSPEED = "configs/deepspeed_zero3.json"
# Seven billion weights with gradients and optimizer states (112 GB) fit no GPU: ZeRO stage 3 spreads them. What reads
# "auto" is filled in from the YAML.
_ZERO3 = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "zero_allow_untested_optimizer": True,
    "bf16": {"enabled": "auto"},
    "zero_optimization": {
        "stage": 3,
        "overlap_comm": False,
        "contiguous_gradients": True,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
        "stage3_gather_16bit_weights_on_model_save": True,
    },
}


def llamafactory_configs(
    rows: Mapping[str, Mapping[str, int]], longest: Mapping[str, int], image_max_pixels: int
) -> dict[str, str]:
    """Files by path in the export; those of a step without train rows are left out.

    Args:
        rows: how many rows the export has, by config and split.
        longest: of each config with rows its longest row in tokens, pictures of ``image_max_pixels`` and both answers of a
            pair counted apart; ``cutoff_len`` is the longest of a step, so that no row is cut.
        image_max_pixels: larger pictures are scaled down to this area; it must be the one that ``longest`` was counted with.
    """
    steps = [step for step in training_steps(rows) if step.task in ("sft", "dpo")]
    files = {
        f"configs/{step.name}_{tuning}.yaml": _text(step, tuning, _settings(step, tuning, longest, image_max_pixels))
        for step in steps
        for tuning in ("full", "lora")
    }
    return files | ({DEEPSPEED: json.dumps(_ZERO3, indent=2) + "\n"} if files else {})


def _settings(step: TrainingStep, tuning: str, longest: Mapping[str, int], image_max_pixels: int) -> dict[str, Any]:
    settings: dict[str, Any] = _model(step, tuning)
    settings |= {"image_max_pixels": image_max_pixels, "freeze_vision_tower": True, "freeze_multi_modal_projector": True}
    settings |= {"stage": step.task, "do_train": True, "finetuning_type": tuning}
    if tuning == "lora":
        settings |= {"lora_rank": 64, "lora_target": "all"}
        # Without it the SFT's adapter would be trained on, and the reference of DPO, which is the model with its adapter
        # off, would be the model before SFT.
        settings |= {"create_new_adapter": True} if step.task == "dpo" else {}
    else:
        settings |= {"deepspeed": DEEPSPEED}
    if step.task == "dpo":
        settings |= {"pref_beta": 0.1, "pref_loss": "sigmoid"}
    settings |= {
        "dataset_dir": ".",
        "media_dir": ".",
        "dataset": ",".join(dataset_name(config, "train") for config in step.train),
        "template": "qwen2_vl",
        "cutoff_len": max(longest[config] for config in (*step.train, *step.validation)),
        "preprocessing_num_workers": 16,
        "dataloader_num_workers": 4,
        "output_dir": f"saves/{step.name}_{tuning}",
        "logging_steps": 10,
        "save_steps": 500,
        "report_to": "none",
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "learning_rate": step.learning_rate(tuning),
        "num_train_epochs": 1.0,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,  # warmup_steps means a share only from transformers 5 on, and 4 is allowed too
        "bf16": True,
    }
    if step.validation:
        settings |= {
            "eval_dataset": ",".join(dataset_name(config, "validation") for config in step.validation),
            "per_device_eval_batch_size": 1,
            "eval_strategy": "steps",
            "eval_steps": 500,
        }
    return settings


def _model(step: TrainingStep, tuning: str) -> dict[str, str]:
    if step.after is None:
        return {"model_name_or_path": MODEL}
    before = f"saves/{step.after}_{tuning}"
    if tuning == "full":
        return {"model_name_or_path": before}
    return {"model_name_or_path": MODEL, "adapter_name_or_path": before}


def _text(step: TrainingStep, tuning: str, settings: Mapping[str, Any]) -> str:
    torchrun = "FORCE_TORCHRUN=1 " if tuning == "full" else ""
    lines = [
        f"# {step.purpose}",
        "# In the export's folder:",
        f"#   {torchrun}llamafactory-cli train configs/{step.name}_{tuning}.yaml",
    ]
    if step.after is not None:
        lines.append(f"# It goes on from configs/{step.after}_{tuning}.yaml.")
    lines.append("# cutoff_len is the longest row in tokens: lower it, or raise image_max_pixels, and answers are cut away.")
    return "\n".join(lines) + "\n" + yaml.safe_dump(dict(settings), sort_keys=False)
