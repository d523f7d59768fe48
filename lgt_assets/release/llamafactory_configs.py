"""Ready configs of LLaMA-Factory 0.9.5 for a release in the format ``llamafactory``: SFT by stage, then DPO, in full or by LoRA.

`llamafactory-cli train` reads them, from within the export's folder. Batch sizes and LoRA's rank are common starting points,
tuned on no release; lengths come from the release's own rows.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from lgt_assets.release.dataset_info import dataset_name
from lgt_assets.release.training_steps import MAX_PIXELS, METHODS, MODEL, Method, TrainingStep, training_steps

FOLDER = "configs"
DEEPSPEED = f"{FOLDER}/deepspeed_zero3.json"
# Seven billion weights with gradients and optimizer states (about 110 GB) fit no GPU: ZeRO stage 3 spreads them. What reads
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
    rows: Mapping[str, Mapping[str, int]], lengths: Mapping[str, int], *, image_max_pixels: int = MAX_PIXELS
) -> dict[str, str]:
    """Texts by relative path: ``configs/<full or lora>/<config>.yaml`` for each SFT and DPO config with rows, and ZeRO's JSON.

    Args:
        rows: by config and split, as they are in the release.
        lengths: for each config with train rows the tokens that its longest row takes, of either split: prompt, pictures and
            completion together. LLaMA-Factory cuts what is longer, silently.
        image_max_pixels: larger pictures are scaled down to this area; the one that ``lengths`` were counted with.
            LLaMA-Factory's own is 768 x 768.
    """
    steps = [step for step in training_steps(rows) if step.task != "rl"]
    texts = {
        f"{FOLDER}/{method}/{step.config}.yaml": _text(step, method, lengths[step.config], image_max_pixels)
        for method in METHODS
        for step in steps
    }
    return texts | ({DEEPSPEED: json.dumps(_ZERO3, indent=2) + "\n"} if texts else {})


def _text(step: TrainingStep, method: Method, length: int, image_max_pixels: int) -> str:
    # The launcher of deepspeed; without it LLaMA-Factory refuses the file.
    torchrun = "FORCE_TORCHRUN=1 " if method == "full" else ""
    head = [
        f"{torchrun}llamafactory-cli train {FOLDER}/{method}/{step.config}.yaml",
        "from the export's folder. The batch is right for 8 devices: with fewer raise gradient_accumulation_steps.",
        "cutoff_len is the longest row in tokens: with a lower one, or larger pictures, answers are cut away without a word.",
    ]
    settings = _start(step, method) | _settings(step, method, length, image_max_pixels)
    return "".join(f"# {line}\n" for line in head) + yaml.safe_dump(settings, sort_keys=False)


def _start(step: TrainingStep, method: Method) -> dict[str, Any]:
    """Where a step starts: with LoRA from all adapters before it, merged, and with a new one."""
    if method == "full":
        return {"model_name_or_path": MODEL if step.after is None else _output(step.after, method)}
    before = step.after
    adapters: list[str] = []
    while before is not None:
        adapters.insert(0, _output(before, method))
        before = before.after
    start = {"model_name_or_path": MODEL, "lora_rank": 64, "lora_alpha": 128, "lora_target": "all"}
    # The reference of DPO is the model without its adapter. Were SFT's adapter trained on, that would be the model before SFT.
    return start | ({"adapter_name_or_path": ",".join(adapters), "create_new_adapter": True} if adapters else {})


def _output(step: TrainingStep, method: Method) -> str:
    return f"outputs/{method}/{step.config}"


def _settings(step: TrainingStep, method: Method, length: int, image_max_pixels: int) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "stage": step.task,
        "do_train": True,
        "finetuning_type": method,
        "image_max_pixels": image_max_pixels,
        "freeze_vision_tower": True,
        "freeze_multi_modal_projector": True,
        "template": "qwen2_vl",
        "cutoff_len": length,
        "dataset_dir": ".",
        "media_dir": ".",
        "dataset": dataset_name(step.config, "train"),
        "preprocessing_num_workers": 16,
        "dataloader_num_workers": 4,
        "output_dir": _output(step, method),
        "learning_rate": step.learning_rate(method),
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.05,  # warmup_steps means a share only from transformers 5 on, and 4 is allowed too
        "num_train_epochs": 1.0,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "bf16": True,
        "logging_steps": 10,
        "save_steps": 500,
        "report_to": "none",
        "seed": 0,
    }
    if step.validated:
        settings |= {"eval_dataset": dataset_name(step.config, "validation"), "per_device_eval_batch_size": 1,
                     "eval_strategy": "steps", "eval_steps": 500}  # fmt: skip
    if step.task == "dpo":
        settings |= {"pref_loss": "sigmoid", "pref_beta": 0.1}
    return settings | ({"deepspeed": DEEPSPEED} if method == "full" else {})
