"""The order in which a release is trained on: SFT on stage 1, SFT on both stages, then DPO and GRPO, each from that SFT."""

from collections.abc import Mapping
from dataclasses import dataclass

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
_RATES = {("sft", "full"): 1e-5, ("sft", "lora"): 1e-4, ("dpo", "full"): 5e-7, ("dpo", "lora"): 5e-6,
          ("rl", "full"): 1e-6, ("rl", "lora"): 1e-5}  # fmt: skip


@dataclass(frozen=True)
class TrainingStep:
    """One run of a trainer.

    Attributes:
        name: its file's and its output's name.
        task: ``sft``, ``dpo`` or ``rl``.
        train: configs whose train rows it reads; never none.
        validation: those of them that have validation rows.
        after: name of the step whose weights it starts from, or None for the published model.
        purpose: a sentence for people.
    """

    name: str
    task: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    after: str | None
    purpose: str

    def learning_rate(self, tuning: str) -> float:
        """A usual one for 7B; ``tuning`` is ``full`` or ``lora``."""
        return _RATES[self.task, tuning]


def training_steps(rows: Mapping[str, Mapping[str, int]]) -> list[TrainingStep]:
    """The steps that have rows to train on.

    Args:
        rows: how many rows there are, by config and split; a config or split that is missing has none.
    """

    def having(split: str, configs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(config for config in configs if rows.get(config, {}).get(split, 0))

    # Without rows of stage 2 the merged config is stage 1 again.
    merged = ("sft_stage2_merged",) if having("train", ("sft_stage2",)) else ()
    plan = (
        ("sft_stage1", "sft", ("sft_stage1",), "SFT on chains of stage 1."),
        ("sft_stage2_merged", "sft", merged, "SFT on chains of both stages."),
        ("dpo", "dpo", ("dpo_stage1", "dpo_stage2"), "DPO on the pairs of both stages."),
        ("grpo", "rl", ("rl_stage1", "rl_stage2"), "GRPO on the prompts of both stages, rewarded by rewards.py."),
    )
    steps: list[TrainingStep] = []
    for name, task, configs, purpose in plan:
        train = having("train", configs)
        if train:
            tuned = [step.name for step in steps if step.task == "sft"]
            after = tuned[-1] if tuned else None
            steps.append(TrainingStep(name, task, train, having("validation", train), after, purpose))
    return steps
