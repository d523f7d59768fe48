"""Supervised fine-tuning by TRL on an exported release."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgt_assets.errors import ReleaseError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.exported_files import TRAIN, exported_rows, released_as
from lgt_assets.training.learners import CPU_STUDENT, adapter_of, loaded, processor_of
from lgt_assets.training.recipes import Budget, Recipe, selected
from lgt_assets.training.row_lengths import row_limit
from lgt_assets.training.row_order import grouped_order
from lgt_assets.training.training_runs import RECORD, Progress, method_of, run
from lgt_assets.training.weights_digests import weights_digest

__all__ = ["RECORD", "fine_tune", "recipe_rows"]


def fine_tune(
    export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    progress: Progress = lambda *_: None, learner: PostTrainingSettings = CPU_STUDENT,
) -> dict[str, Any]:  # fmt: skip
    """Train the model in ``start`` on a recipe's rows; weights, checkpoints and the record lie in ``out``.

    Returns:
        What :func:`.training_runs.run` says, with the release, rows, questions and ``max_length``.

    Raises:
        ReleaseError: the export lacks the rows.
        SettingsError: ``out`` holds a run with other settings.
    """
    rows = recipe_rows(export, recipe)
    settings = {
        "trainer": "sft", "release": released_as(export), "config": recipe.config, "kinds": list(recipe.kinds),
        "budget": budget.as_dict(), "seed": seed, "start": weights_digest(start, learner),
        "rows": len(rows),
        "questions": len(set(rows["question_id"])),
        "max_length": row_limit(export, [recipe.config], rows, ("completion",), start, learner),
        "order": "each row once, steps of like length",
    } | method_of(learner)  # fmt: skip

    def build(arguments: Mapping[str, Any]) -> Any:
        from trl import SFTConfig, SFTTrainer

        told = SFTConfig(**arguments, max_length=settings["max_length"], train_sampling_strategy="sequential")
        ordered = rows.select(grouped_order(_letters(rows), budget.batch, budget.steps, seed))
        return SFTTrainer(
            loaded(start, learner, budget.frozen), args=told, train_dataset=ordered,
            processing_class=processor_of(start, learner), peft_config=adapter_of(learner),
        )  # fmt: skip

    return run(
        build, settings, out, budget=budget, seed=seed, watched="loss", passes=3, progress=progress, learner=learner
    )


def _letters(rows: Any) -> list[int]:
    """How long each row is; letters go with tokens closely enough to sort by, and no processor need read every row."""
    texts = zip(rows["prompt"], rows["completion"], strict=True)
    return [sum(len(message["content"]) for message in (*prompt, *completion)) for prompt, completion in texts]


def recipe_rows(export: Path, recipe: Recipe, split: str = TRAIN) -> Any:
    """A recipe's rows.

    Raises:
        ReleaseError: the export has none.
    """
    rows = exported_rows(export, [recipe.config], split)
    rows = rows.select(selected(recipe, rows["question_id"], rows["recipe"]))
    if not len(rows):
        raise ReleaseError(f"{export}: {recipe.config} holds no {split} rows of {', '.join(recipe.kinds)}")
    return rows
