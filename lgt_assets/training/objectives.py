"""What each trainer is to improve, before and after, on the release's validation rows, with 95 % intervals of the difference."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgt_assets.embedded.speaker import Speaker
from lgt_assets.training.exported_files import VALIDATION, exported_rows, released_rewards
from lgt_assets.training.fine_tuning import recipe_rows
from lgt_assets.training.preference_training import BETA
from lgt_assets.training.processors import picture_processor
from lgt_assets.training.recipes import Recipe
from lgt_assets.training.reinforcement import TEMPERATURE, prompts_with_pictures

_BATCH = 16
_Z = 1.96


@dataclass(frozen=True)
class Change:
    """A mean over validation rows of two models, the same rows for both.

    Attributes:
        name: what is averaged.
        before: each row's value of the model that training started from.
        after: each row's value of the trained model.
    """

    name: str
    before: Sequence[float]
    after: Sequence[float]

    def as_dict(self) -> dict[str, str | int | float]:
        """Means, and the mean of the rows' differences with its interval (normal, over rows)."""
        differences = [b - a for a, b in zip(self.before, self.after, strict=True)]
        mean = statistics.fmean(differences)
        spread = _Z * statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
        return {
            "objective": self.name, "rows": len(differences), "before": statistics.fmean(self.before),
            "after": statistics.fmean(self.after), "difference": mean, "low": mean - spread, "high": mean + spread,
        }  # fmt: skip


def fine_tuning_change(export: Path, recipe: Recipe, before: Path, after: Path) -> list[Change]:
    """SFT's: the loss of a token of the validation rows' completions.

    Raises:
        ReleaseError: the export has no validation rows of the recipe.
    """
    rows = recipe_rows(export, recipe, VALIDATION)
    losses = [[-total / count for total, count in completion_scores(folder, rows)] for folder in (before, after)]
    return [Change("loss of a validation token", *losses)]


def preference_change(export: Path, recipe: Recipe, before: Path, after: Path) -> list[Change]:
    """DPO's: how much more the trained model prefers the chosen reply than its start does, and how often it does.

    Before training there is no difference to the start: a margin of 0, and half the pairs.

    Raises:
        ReleaseError: the export has no validation pairs.
    """
    rows = exported_rows(export, recipe.preferences, VALIDATION)
    margins = [0.0] * len(rows)
    for folder, sign in ((after, BETA), (before, -BETA)):
        chosen, rejected = (completion_scores(folder, rows, reply) for reply in ("chosen", "rejected"))
        for number, (better, worse) in enumerate(zip(chosen, rejected, strict=True)):
            margins[number] += sign * (better[0] - worse[0])
    losses = [math.log1p(math.exp(-margin)) for margin in margins]
    return [
        Change("loss of a validation pair", [math.log(2)] * len(rows), losses),
        Change("reward margin of a validation pair", [0.0] * len(rows), margins),
        Change("share of validation pairs preferred", [0.5] * len(rows), [preferred(margin) for margin in margins]),
    ]


def preferred(margin: float) -> float:
    """1 where the chosen reply gained more, 0 where the rejected one did, and half a pair where neither did."""
    return float(margin > 0) if margin else 0.5


def reinforcement_change(
    export: Path, recipe: Recipe, before: Path, after: Path, *, samples: int = 16, longest_reply: int, threads: int = 1
) -> list[Change]:
    """GRPO's: the mean reward of sampled answers to validation prompts, each prompt one row.

    Raises:
        ReleaseError: the export has no validation prompts or no rewards.
    """
    rows, rewards = prompts_with_pictures(export, recipe, VALIDATION), released_rewards(export)
    columns = {name: list(rows[name]) * samples for name in ("ground_truth", "verification", "choices")}
    texts = [prompt[0]["content"] for prompt in rows["prompt"]] * samples
    pictures = [images[0].convert("RGB") for images in rows["images"]] * samples
    means = []
    for folder in (before, after):
        speaker = Speaker(folder, threads, longest_reply=longest_reply)
        said = speaker.replies(texts, pictures, temperature=TEMPERATURE, seed=0)
        answers, layouts = rewards.answer_reward(said, **columns), rewards.format_reward(said)
        scores = [
            (1 - rewards.FORMAT_WEIGHT) * answer + rewards.FORMAT_WEIGHT * layout
            for answer, layout in zip(answers, layouts, strict=True)
        ]
        means.append([statistics.fmean(scores[number :: len(rows)]) for number in range(len(rows))])
    return [Change("mean reward of a validation prompt", *means)]


def completion_scores(weights: Path, rows: Any, reply: str = "completion") -> list[tuple[float, int]]:
    """Of each row the log-probability of its reply after its prompt, and the reply's tokens, as TRL's own collator gives them.

    Args:
        weights: a model's folder.
        rows: of an exported config.
        reply: the column.
    """
    import torch
    from transformers import AutoModelForImageTextToText
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    model = AutoModelForImageTextToText.from_pretrained(weights, dtype="float32").eval()
    collate = DataCollatorForVisionLanguageModeling(picture_processor(weights), completion_only_loss=True)
    scores: list[tuple[float, int]] = []
    for start in range(0, len(rows), _BATCH):
        taken = rows.select(range(start, min(start + _BATCH, len(rows))))
        batch = collate([{"images": row["images"], "prompt": row["prompt"], "completion": row[reply]} for row in taken])
        labels = batch.pop("labels")[:, 1:]
        with torch.inference_mode():
            known = model(**batch).logits[:, :-1].log_softmax(-1)
        counted = labels != -100
        said = known.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1) * counted
        scores += zip(said.sum(1).tolist(), counted.sum(1).tolist(), strict=True)
    return scores
