"""What an experiment trains on: recipes as rows of exported configs, budgets that are equal for all, seeds."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import ADAMW, COSINE


@dataclass(frozen=True)
class Recipe:
    """What a model is trained on, by the export's configs.

    Attributes:
        config: of supervised rows; those whose column ``recipe`` is one of ``kinds``.
        kinds: see there.
        same_questions: only questions that have a row of every kind.
        preferences: configs whose pairs DPO trains on afterwards.
        prompts: configs whose prompts GRPO trains on afterwards.
    """

    config: str
    kinds: tuple[str, ...]
    same_questions: bool = False
    preferences: tuple[str, ...] = ("dpo_stage1", "dpo_stage2")
    prompts: tuple[str, ...] = ("rl_stage1", "rl_stage2")


# direct, simple and long differ in the target alone: they are taken from the questions that have all three. Thoughts and bare
# answers to one prompt would contradict one another, so the mixed recipes hold thoughts only.
RECIPES: Mapping[str, Recipe] = {
    "direct": Recipe("sft_stage2_merged", ("direct",), same_questions=True),
    "simple": Recipe("sft_stage2_merged", ("simple",), same_questions=True),
    "long": Recipe("sft_stage2_merged", ("long",), same_questions=True),
    "stage_1": Recipe("sft_stage1", ("simple", "long"), preferences=("dpo_stage1",), prompts=("rl_stage1",)),
    "merged": Recipe("sft_stage2_merged", ("simple", "long")),
}
SEEDS = ("0", "1", "2")
_KINDS = ("direct", "simple", "long")


@dataclass(frozen=True)
class Budget:
    """Equal for every recipe: optimizer steps and rows of a step. Tokens differ with the targets' length, and are recorded."""

    steps: int
    batch: int
    learning_rate: float
    save_every: int = 20
    optimizer: str = ADAMW
    schedule: str = COSINE
    frozen: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, int | float | str | list[str]]:
        """For the record of a run, without what is usual: as records were before there was a choice."""
        usual = {"optimizer": ADAMW, "schedule": COSINE, "frozen": []}
        told = asdict(self) | {"frozen": sorted(set(self.frozen))}
        return {name: value for name, value in told.items() if usual.get(name) != value}


SFT, DPO, GRPO = "sft", "dpo", "grpo"


def cell_folder(root: Path, release_id: str, recipe: str, seed: str, trainer: str = SFT) -> Path:
    """Where the model of a cell lies, below the state's folder."""
    return root / "models" / release_id / trainer / recipe / seed


def recipe_named(name: str) -> Recipe:
    """A recipe. Raises SettingsError, which names those there are."""
    if name not in RECIPES:
        raise SettingsError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def selected(recipe: Recipe, questions: Iterable[str], kinds: Iterable[str]) -> list[int]:
    """Numbers of the rows that a recipe trains on.

    Args:
        recipe: which.
        questions: each row's ``question_id``.
        kinds: each row's ``recipe``.
    """
    rows = list(zip(questions, kinds, strict=True))
    having: dict[str, set[str]] = {}
    for question, kind in rows:
        having.setdefault(question, set()).add(kind)
    return [
        number
        for number, (question, kind) in enumerate(rows)
        if kind in recipe.kinds and (not recipe.same_questions or having[question].issuperset(_KINDS))
    ]


def seed_of(*names: str) -> int:
    """31 bits that follow from the names of a cell: experiment, recipe and seed."""
    return int.from_bytes(hashlib.blake2b("/".join(names).encode(), digest_size=4).digest()) >> 1
