"""One cell of an experiment, a recipe and a seed: what each trainer starts from, where its model lies, and its budget."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.learners import CPU_STUDENT
from lgt_assets.training.objectives import Change, fine_tuning_change, preference_change, reinforcement_change
from lgt_assets.training.recipes import DPO, GRPO, SFT, Budget, Recipe, cell_folder, recipe_named, seed_of
from lgt_assets.training.students import student_folder
from lgt_assets.training.training_runs import RECORD, Progress


def run_trainer(
    trainer: str, export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    learner: PostTrainingSettings, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Train in this process.

    Raises:
        LgtError: rows or rewards are missing, or ``out`` holds a run with other settings.
    """
    from lgt_assets.training.fine_tuning import fine_tune
    from lgt_assets.training.preference_training import prefer
    from lgt_assets.training.reinforcement import reinforce

    trained = {SFT: fine_tune, DPO: prefer, GRPO: reinforce}[trainer]
    return trained(export, recipe, start, out, budget=budget, seed=seed, learner=learner, progress=progress)


def budget_of(learner: PostTrainingSettings, trainer: str, **changes: int) -> Budget:
    """The profile's budget of a trainer: every command trains with it, so that what one made another can use."""
    return replace(Budget(**getattr(learner, trainer).model_dump()), **changes)


def first_start(learner: PostTrainingSettings) -> Path:
    """What the profile's first training starts from: a folder, or the hub's name of a model.

    Raises:
        EngineError: this installation holds no student.
    """
    return student_folder() if learner.is_student else Path(learner.model)


@dataclass(frozen=True)
class Cell:
    """A recipe and a seed of one release's models.

    Attributes:
        root: the state's folder.
        export: the release's, in the format ``hf``.
        release_id: the release's.
        recipe: its name.
        seed: its name.
        learner: what learns, and where.
    """

    root: Path
    export: Path
    release_id: str
    recipe: str
    seed: str
    learner: PostTrainingSettings = CPU_STUDENT

    def folder(self, trainer: str) -> Path:
        """Where a trainer's model lies."""
        return cell_folder(self.root, self.release_id, self.recipe, self.seed, trainer)

    def start(self, trainer: str) -> Path:
        """What a trainer starts from: SFT from the profile's model, the others from the cell's fine-tuned model.

        Raises:
            SettingsError: that was not trained yet.
            EngineError: this installation holds no student.
        """
        if trainer == SFT:
            return first_start(self.learner)
        start = self.folder(SFT)
        if not (start / RECORD).is_file():
            raise SettingsError(
                f"{trainer} starts from the fine-tuned model of {self.recipe}, seed {self.seed}, which is missing from {start}: "
                "materialize sft_model for it first"
            )
        return start

    def train(self, trainer: str, progress: Progress, **changes: int) -> dict[str, Any]:
        """Train, or go on with a run that was killed; what :func:`.training_runs.run` returns.

        Args:
            trainer: ``sft``, ``dpo`` or ``grpo``.
            progress: told after each step.
            changes: to the trainer's budget.

        Raises:
            LgtError: rows, rewards or the start are missing, or the folder holds a run with other settings.
        """
        from lgt_assets.training.launched import launch

        run = launch if self.learner.devices else run_trainer
        return run(
            trainer, self.export, recipe_named(self.recipe), self.start(trainer), self.folder(trainer),
            budget=budget_of(self.learner, trainer, **changes), seed=seed_of(trainer, self.recipe, self.seed),
            learner=self.learner, progress=progress,
        )  # fmt: skip

    def changes(self, trainer: str) -> list[Change]:
        """What the trainer's own objective was before and after, on the release's validation rows; of the student only.

        Raises:
            LgtError: there are no such rows, or no model.
        """
        if not self.learner.is_student:
            return []
        place = (self.export, recipe_named(self.recipe), self.start(trainer), self.folder(trainer))
        if trainer == GRPO:
            return reinforcement_change(*place, longest_reply=self.learner.longest_reply)
        return {SFT: fine_tuning_change, DPO: preference_change}[trainer](*place)
