"""The order in which a release's configs are trained on: SFT on stage 1, then on both stages; DPO or GRPO on the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lgt_assets.release.configs import CONFIGS, SPLITS, Task

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
MAX_PIXELS = 16_384 * 28 * 28  # of a picture, in the model's own processor: 16,384 tokens
METHODS = ("full", "lora")
Method = Literal["full", "lora"]
# What each config's training starts from, where that has rows.
_AFTER = {
    "sft_stage1": None,
    "sft_stage2": "sft_stage1",  # or, which the further steps start from, with stage 1 seen again:
    "sft_stage2_merged": "sft_stage1",
    "dpo_stage1": "sft_stage2_merged",
    "dpo_stage2": "dpo_stage1",
    "rl_stage1": "sft_stage2_merged",
    "rl_stage2": "rl_stage1",
}
# Common starting points for 7B, tuned on no release.
_RATES: Mapping[Task, Mapping[Method, float]] = {
    "sft": {"full": 1e-5, "lora": 1e-4},
    "dpo": {"full": 5e-7, "lora": 5e-6},
    "rl": {"full": 1e-6, "lora": 1e-5},
}


@dataclass(frozen=True)
class TrainingStep:
    """Training on one config.

    Attributes:
        config: its name.
        after: the step whose weights it starts from, or None for the published model.
        validated: whether the config has validation rows.
    """

    config: str
    after: "TrainingStep | None"
    validated: bool

    @property
    def task(self) -> Task:
        """``sft``, ``dpo`` or ``rl``."""
        return CONFIGS[self.config].task

    def learning_rate(self, method: Method) -> float:
        """A common one for 7B parameters."""
        return _RATES[self.task][method]


def training_steps(rows: Mapping[str, Mapping[str, int]]) -> list[TrainingStep]:
    """A step for each config that has train rows; who would start from one without starts from the step before that.

    Without rows of stage 2 the merged config is stage 1 again, and no step.

    Args:
        rows: how many rows there are, by config and split; a config or split that is missing has none.
    """
    train, validation = SPLITS
    steps: dict[str, TrainingStep] = {}
    for config, before in _AFTER.items():
        again = config == "sft_stage2_merged" and "sft_stage2" not in steps
        if rows.get(config, {}).get(train, 0) and not again:
            while before is not None and before not in steps:
                before = _AFTER[before]
            after = steps[before] if before is not None else None
            steps[config] = TrainingStep(config, after, bool(rows[config].get(validation, 0)))
    return list(steps.values())
