"""The export for LLaMA-Factory, as its files read and as LLaMA-Factory loads it."""

import json
import os
from pathlib import Path
from typing import Any

EXPORT = Path(os.environ.get("LGT_TRAINER_EXPORTS", "")) / "llamafactory"
WEIGHTS = Path(__file__).resolve().parents[3] / "lgt_assets" / "embedded" / "weights"
MASKED = -100


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def load(stage: str, datasets: str, folder: Path = EXPORT, **settings: Any) -> dict[str, Any]:
    """The tokenized rows of ``datasets``, LLaMA-Factory's tokenizer and its processor.

    Args:
        stage: ``sft`` or ``rm``, by which name LLaMA-Factory loads pairs for DPO too.
        datasets: names of dataset_info.json, with commas between.
        folder: the export's.
        settings: further ones of LLaMA-Factory.
    """
    return load_as_told({
        "model_name_or_path": str(WEIGHTS), "template": "qwen2_vl", "stage": stage, "do_train": True, "dataset": datasets,
        "dataset_dir": str(folder), "output_dir": str(folder / "saves"), "report_to": "none", "use_cpu": True, "bf16": False,
        "overwrite_cache": True, **settings,
    })  # fmt: skip


def load_as_told(settings: dict[str, Any]) -> dict[str, Any]:
    """As `llamafactory-cli train` loads the datasets of these settings."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, finetuning, _ = get_train_args(dict(settings))
    loaded = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(loaded["tokenizer"], data)
    stage = {"dpo": "rm"}.get(finetuning.stage, finetuning.stage)
    return {**loaded, **get_dataset(template, model, data, training, stage=stage, **loaded), "data": data}
