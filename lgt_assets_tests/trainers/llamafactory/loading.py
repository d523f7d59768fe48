"""Rows as LLaMA-Factory loads and tokenizes them, up to where its trainer begins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MASKED = -100
UNCUT = 32_768


@dataclass(frozen=True)
class Loaded:
    """What LLaMA-Factory made of its settings: rows for the trainer, and what it tokenized them with."""

    train: Any
    validation: Any
    tokenizer: Any
    processor: Any

    def trained(self, labels: list[int]) -> str:
        """What the labels train on, decoded."""
        return self.tokenizer.decode([label for label in labels if label != MASKED])


def load(settings: dict[str, Any]) -> Loaded:
    """As `llamafactory-cli train` does for SFT and DPO."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, finetuning, _ = get_train_args(dict(settings))
    loaded = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(loaded["tokenizer"], data)
    stage = {"sft": "sft", "dpo": "rm"}[finetuning.stage]
    rows = get_dataset(template, model, data, training, stage=stage, **loaded)
    return Loaded(rows["train_dataset"], rows.get("eval_dataset"), loaded["tokenizer"], loaded["processor"])


def settings_for(stage: str, dataset: str, folder: Path, model_folder: Path, **others: Any) -> dict[str, Any]:
    """The fewest settings that load one dataset of the folder, on a CPU; LLaMA-Factory's defaults for all else."""
    return {
        "model_name_or_path": str(model_folder), "template": "qwen2_vl", "stage": stage, "do_train": True, "dataset": dataset,
        "dataset_dir": str(folder), "output_dir": str(folder / "outputs"), "report_to": "none", "use_cpu": True, "bf16": False,
        "overwrite_cache": True, **others,
    }  # fmt: skip
