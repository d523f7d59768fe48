"""Direct preference optimization by TRL on an exported release, from a model that was fine-tuned on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.exported_files import exported_rows, released_as
from lgt_assets.training.learners import CPU_STUDENT, adapter_of, loaded, processor_of
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.row_lengths import row_limit
from lgt_assets.training.training_runs import Progress, method_of, run
from lgt_assets.training.weights_digests import weights_digest

BETA = 0.1  # TRL's and the paper's own


def prefer(
    export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    progress: Progress = lambda *_: None, learner: PostTrainingSettings = CPU_STUDENT,
) -> dict[str, Any]:  # fmt: skip
    """Train the model in ``start``, which is also the reference, on a recipe's preference pairs.

    Args:
        export: of the release.
        recipe: which pairs.
        start: a fine-tuned model.
        out: of this run alone.
        budget: a step's rows are pairs.
        seed: of the pairs' order.
        progress: told the loss.
        learner: what learns, and where.

    Raises:
        ReleaseError: the export lacks the rows.
        SettingsError: ``out`` holds a run with other settings.
    """
    rows = exported_rows(export, recipe.preferences)
    settings = {
        "trainer": "dpo", "release": released_as(export), "config": " + ".join(recipe.preferences), "beta": BETA,
        "budget": budget.as_dict(), "seed": seed, "start": weights_digest(start, learner),
        "rows": len(rows),
        "questions": len(set(rows["question_id"])),
        "max_length": row_limit(export, recipe.preferences, rows, ("chosen", "rejected"), start, learner),
    } | method_of(learner)  # fmt: skip

    def build(arguments: Mapping[str, Any]) -> Any:
        from trl import DPOConfig, DPOTrainer

        adapter = adapter_of(learner)
        reference = None if adapter else loaded(start, learner)  # LoRA's is the model without the adapter
        told = DPOConfig(**arguments, max_length=settings["max_length"], beta=BETA)
        return DPOTrainer(
            loaded(start, learner, budget.frozen), reference, args=told, train_dataset=rows,
            processing_class=processor_of(start, learner), peft_config=adapter,
        )  # fmt: skip

    return run(
        build, settings, out, budget=budget, seed=seed, watched="loss", passes=4, progress=progress, learner=learner
    )
