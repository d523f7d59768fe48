"""The seven published configs: which rows of which table each holds, and how many of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from lgt_assets.errors import SettingsError

Task = Literal["sft", "dpo", "rl"]


@dataclass(frozen=True)
class Config:
    """Rows of ``table`` at one of ``stages``, for one kind of training."""

    table: str
    stages: tuple[int, ...]
    task: Task


CONFIGS = {
    "sft_stage1": Config("sft_mix", (1,), "sft"),
    "sft_stage2": Config("sft_mix", (2,), "sft"),
    "sft_stage2_merged": Config("sft_mix", (1, 2), "sft"),
    "dpo_stage1": Config("preference_pairs", (1,), "dpo"),
    "dpo_stage2": Config("preference_pairs", (2,), "dpo"),
    "rl_stage1": Config("rl_prompts", (1,), "rl"),
    "rl_stage2": Config("rl_prompts", (2,), "rl"),
}
SPLITS = ("train", "validation")
# The tables that configs take their rows from, with their key.
KEYS = {"sft_mix": "example_id", "preference_pairs": "pair_id", "rl_prompts": "prompt_id"}
# The questions are read for what they ask: which of them a release leaves out.
RELEASE_TABLES = ("images", "seed_questions", "composed_questions", *KEYS)


@dataclass(frozen=True)
class Draw:
    """Exactly ``sizes[config]`` rows of a config's train split; all rows of the others, and of validation."""

    sizes: dict[str, int]
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a size that would be overlooked.

        Raises:
            SettingsError: for a config that does not exist.
        """
        unknown = sorted(set(self.sizes) - set(CONFIGS))
        if unknown:
            known = ", ".join(CONFIGS)
            raise SettingsError(f"release.sizes: there is no config {', '.join(unknown)}; there are {known}")


def drawn_ids(config: str, ids: Iterable[str], draw: Draw) -> pl.Series:
    """The ids of the rows drawn for a config's train split: those whose hash with the seed is lowest.

    With more shards a row that was drawn may give way to a new one, never for another reason; the rows drawn of a stage are
    the first of that stage to enter a merged config.

    Args:
        config: one that has a size.
        ids: of all its train rows.
        draw: how many.

    Raises:
        SettingsError: fewer rows than are to be drawn.
    """
    size = draw.sizes[config]
    hashed = sorted((hashlib.blake2b(f"{draw.seed}:{name}".encode(), digest_size=8).digest(), name) for name in ids)
    if len(hashed) < size:
        raise SettingsError(
            f"release.sizes: {config} is to have {size:,} rows in train and there are {len(hashed):,}: lower it or make more"
        )
    return pl.Series("row_id", [name for _, name in hashed[:size]], dtype=pl.String)
