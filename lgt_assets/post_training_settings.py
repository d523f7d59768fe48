"""Section ``post_training`` of a profile: which model learns, how, on what, and for how long."""

from typing import Literal

from pydantic import Field, model_validator

from lgt_assets.settings_base import Settings

STUDENT = "student"
_HIGHEST_OF_ADAMW = 1e-2
ADAMW, SGD = "adamw", "sgd"
COSINE, CONSTANT = "cosine", "constant"


class BudgetSettings(Settings):
    """One trainer's."""

    steps: int = Field(gt=0, description="Steps of the optimizer.")
    batch: int = Field(gt=0, description="Rows of a step over all devices: completions, pairs, or sampled completions.")
    learning_rate: float = Field(gt=0)
    save_every: int = Field(20, gt=0, description="Steps between checkpoints.")
    optimizer: Literal["adamw", "sgd"] = ADAMW
    schedule: Literal["cosine", "constant"] = Field(
        COSINE, description="Of the learning rate: cosine falls to 0 after a warm-up of a twentieth of the steps."
    )
    frozen: tuple[str, ...] = Field(
        (), description="Names in the paths of weights that do not learn, as visual; LoRA has its own."
    )

    @model_validator(mode="after")
    def _rate_of_its_optimizer(self) -> "BudgetSettings":
        if self.optimizer == ADAMW and self.learning_rate > _HIGHEST_OF_ADAMW:
            raise ValueError(
                f"learning_rate {self.learning_rate} is one of sgd, with adamw nothing of a model is left: say optimizer: sgd, "
                f"or give at most {_HIGHEST_OF_ADAMW}"
            )
        return self


class PostTrainingSettings(Settings):
    """The student on the CPU by default: on a core that does nothing else each trainer takes minutes."""

    model: str = Field(STUDENT, description="student: the one in the package; else a folder, or a name on the hub.")
    revision: str | None = None
    method: Literal["full", "lora"] = "full"
    devices: int = Field(
        0, ge=0, description="GPUs, through `accelerate launch`; 0: the CPU, in the run's own process."
    )
    rows_per_device: int = Field(
        1, gt=0, description="Rows that a GPU takes at once; the rest of a step is accumulated."
    )
    # Every row of make demo's release about once, by the recipe merged, which has the most.
    sft: BudgetSettings = BudgetSettings(steps=190, batch=16, learning_rate=3e-4)
    # About as many operations as GRPO's, with which it is compared. At 5e-5 its answers got worse.
    dpo: BudgetSettings = BudgetSettings(steps=108, batch=8, learning_rate=2e-5, save_every=12)
    # Little of the gradient of 128 completions is the same from batch to batch, and next to nothing in attention and vision. Adam
    # moves every weight as far, whether it is told anything or not; SGD does not (as found at scale: arXiv 2602.07729).
    grpo: BudgetSettings = BudgetSettings(
        steps=18, batch=128, learning_rate=0.6, save_every=2, optimizer=SGD, schedule=CONSTANT,
        frozen=("visual", "self_attn"),
    )  # fmt: skip
    # Nine in ten samples of a student of the recipe merged are shorter, and more with every step; many long traces are not.
    longest_reply: int = Field(224, gt=0, description="Tokens of a sampled completion of GRPO; what is longer is cut.")

    @model_validator(mode="after")
    def _budgets_of_its_own(self) -> "PostTrainingSettings":
        missing = {"sft", "dpo", "grpo"} - self.model_fields_set
        if missing and not self.is_student:
            raise ValueError(
                f"the budgets of the student are for no other model: give {', '.join(sorted(missing))} too"
            )
        return self

    @property
    def is_student(self) -> bool:
        """Whether it is the model in the package."""
        return self.model == STUDENT
