"""What a run's log looks like: one small picture of each trainer's own numbers by step."""

from collections.abc import Mapping, Sequence

from lgt_assets.charts import LinePanel, draw_panels

# By trainer: title, and what is drawn, by its name there and in TRL's log.
_PANELS: Mapping[str, Sequence[tuple[str, Mapping[str, str]]]] = {
    "sft": (
        ("loss of a step", {"loss": "loss"}),
        ("share of tokens right", {"right": "mean_token_accuracy"}),
    ),
    "dpo": (
        ("loss of a step", {"loss": "loss"}),
        ("reward margin, chosen less rejected", {"margin": "rewards/margins"}),
        ("share of pairs preferred", {"preferred": "rewards/accuracies"}),
    ),
    "grpo": (
        (
            "mean reward of a step",
            {"all": "reward", "answer": "rewards/answer_reward/mean", "format": "rewards/format_reward/mean"},
        ),
        ("tokens of a completion", {"mean": "completions/mean_length"}),
        ("share of groups all alike", {"alike": "frac_reward_zero_std"}),
    ),
}


def run_picture(trainer: str, history: Mapping[str, Sequence[float]]) -> bytes:
    """PNG of a run's log.

    Args:
        trainer: ``sft``, ``dpo`` or ``grpo``.
        history: numbers by name and step, as :func:`.training_runs.run` records them.

    Raises:
        KeyError: there is no such trainer, or its log lacks a number.
    """
    panels = [
        LinePanel(title, {shown: history[name] for shown, name in names.items()}) for title, names in _PANELS[trainer]
    ]
    return draw_panels(panels)
