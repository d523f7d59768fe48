"""Supervised fine-tuning by TRL on an exported release; resumes where a killed run saved last."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lgt_assets.errors import ReleaseError, SettingsError
from lgt_assets.identity import digest
from lgt_assets.training.processors import picture_processor
from lgt_assets.training.recipes import Budget, Recipe, selected

RECORD = "training.json"
# Called with steps done, steps in all, and the last loss.
Progress = Callable[[int, int, float], None]


def exported_rows(export: Path, config: str) -> Any:
    """The train rows of a config as the hub's library reads them. Raises ReleaseError where the export holds none."""
    from datasets import load_dataset

    files = sorted(str(path) for path in (export / config).glob("train-*.parquet"))
    if not files:
        raise ReleaseError(f"{export} holds no train rows of {config}: export the release with --format hf")
    cache = export.parent / f".{export.name}-cache"
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))


def released_as(export: Path) -> str:
    """The id of the release that an export was written from."""
    path = export / "release.json"
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: {export} is no export of a release")
    return json.loads(path.read_text())["release_id"]


def fine_tune(
    export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:  # fmt: skip
    """Train the model in ``start`` on a recipe's rows; weights, checkpoints and the record lie in ``out``.

    A run that ended is not repeated; one that was killed goes on from its last checkpoint.

    Returns:
        What RECORD holds: release, recipe, budget, seed, rows, questions, ``max_length``, tokens, seconds and the losses.

    Raises:
        ReleaseError: the export lacks the rows.
        SettingsError: ``out`` holds a run with other settings.
    """
    rows = exported_rows(export, recipe.config)
    rows = rows.select(selected(recipe, rows["question_id"], rows["recipe"]))
    if not len(rows):
        raise ReleaseError(f"{export}: {recipe.config} holds no rows of {', '.join(recipe.kinds)}")
    settings = {
        "release": released_as(export), "config": recipe.config, "kinds": list(recipe.kinds), "budget": budget.as_dict(),
        "seed": seed, "start": _weights_digest(start), "rows": len(rows), "questions": len(set(rows["question_id"])),
    }  # fmt: skip
    done = _held(out, settings)
    if done:
        return done
    return _train(rows, settings, start, out, budget, seed, progress)


def _held(out: Path, settings: dict) -> dict | None:
    """The record of the run that ended in ``out``, or None; other settings are refused."""
    out.mkdir(parents=True, exist_ok=True)
    told = out / "settings.json"
    if told.exists() and json.loads(told.read_text()) != settings:
        raise SettingsError(f"{out} holds a run with another release, start, budget or seed: give another folder")
    _write(told, settings)
    record = out / RECORD
    return json.loads(record.read_text()) if record.exists() else None


def _train(
    rows: Any, settings: dict, start: Path, out: Path, budget: Budget, seed: int, progress: Progress
) -> dict[str, Any]:
    from transformers import AutoModelForImageTextToText, PrinterCallback, TrainerCallback
    from transformers.trainer_utils import get_last_checkpoint
    from trl import SFTConfig, SFTTrainer

    class Told(TrainerCallback):
        """Tells the listener of every log."""

        def on_log(self, args, state, control, logs=None, **_):
            if "loss" in (logs or {}):
                progress(state.global_step, state.max_steps, float(logs["loss"]))

    processor = picture_processor(start)
    length = longest(rows, processor)
    arguments = SFTConfig(
        output_dir=str(out), max_steps=budget.steps, per_device_train_batch_size=budget.batch, max_length=length,
        learning_rate=budget.learning_rate, lr_scheduler_type="cosine", warmup_steps=max(1, budget.steps // 20),
        save_steps=budget.save_every, save_total_limit=1, logging_steps=1, seed=seed, data_seed=seed, use_cpu=True,
        bf16=False, gradient_checkpointing=False, report_to="none", disable_tqdm=True, dataloader_num_workers=0,
    )  # fmt: skip
    model = AutoModelForImageTextToText.from_pretrained(start, dtype="float32")
    trainer = SFTTrainer(model, args=arguments, train_dataset=rows, processing_class=processor, callbacks=[Told()])
    trainer.remove_callback(PrinterCallback)  # the listener is told
    began = time.monotonic()
    last = get_last_checkpoint(str(out))
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(str(out))
    history = trainer.state.log_history
    record = settings | {
        "max_length": length,
        "resumed_at": int(last.rpartition("-")[2]) if last else 0,
        "seconds": round(time.monotonic() - began, 1),
        "tokens": next((entry["num_tokens"] for entry in reversed(history) if "num_tokens" in entry), None),
        "losses": [entry["loss"] for entry in history if "loss" in entry],
    }
    _write(out / RECORD, record)
    return record


def longest(rows: Any, processor: Any) -> int:
    """Tokens of the longest row with its picture, as the model's own processor counts them: TRL cuts what is longer, silently."""
    most = 0
    for row in rows.select_columns(["images", "prompt", "completion"]):
        (user,), (assistant,) = row["prompt"], row["completion"]
        content = [*({"type": "image"} for _ in row["images"]), {"type": "text", "text": user["content"]}]
        chat = [
            {"role": "user", "content": content},
            assistant | {"content": [{"type": "text", "text": assistant["content"]}]},
        ]
        text = processor.tokenizer.apply_chat_template(chat, tokenize=False)
        sides = [
            processor.image_processor(images=[image])["image_grid_thw"][0].prod() // 4 for image in row["images"][:1]
        ]
        most = max(most, len(processor.tokenizer(text)["input_ids"]) + int(sum(sides)) * len(row["images"]))
    return most


def _weights_digest(folder: Path) -> str:
    return digest([(folder / "model.safetensors").read_bytes().hex()])[:16]


def _write(path: Path, value: dict) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(partial, path)
