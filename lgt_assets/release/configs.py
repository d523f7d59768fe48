"""The seven published configs: which rows of which table each holds."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Config:
    """Rows of ``table`` at one of ``stages``."""

    table: str
    stages: tuple[int, ...]


CONFIGS = {
    "sft_stage1": Config("sft_mix", (1,)),
    "sft_stage2": Config("sft_mix", (2,)),
    "sft_stage2_merged": Config("sft_mix", (1, 2)),
    "dpo_stage1": Config("preference_pairs", (1,)),
    "dpo_stage2": Config("preference_pairs", (2,)),
    "rl_stage1": Config("rl_prompts", (1,)),
    "rl_stage2": Config("rl_prompts", (2,)),
}
SPLITS = ("train", "validation")
RELEASE_TABLES = ("images", "sft_mix", "preference_pairs", "rl_prompts")
_DROPPED = ("shard", "ordinal")


def config_rows(name: str, split: str, tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Rows of config ``name`` in ``split``, ordered by the hash in their id, so that no shard's order shows.

    Args:
        name: one of :data:`CONFIGS`.
        split: ``train`` or ``validation``; a picture is in one of them only, so a question is too.
        tables: lazy frames of :data:`RELEASE_TABLES`.
    """
    config = CONFIGS[name]
    pictures = tables["images"].filter(pl.col("split") == split).select("image_id")
    rows = tables[config.table].filter(pl.col("stage").is_in(list(config.stages)))
    key = rows.collect_schema().names()[2]
    return rows.join(pictures, on="image_id", how="semi").sort(pl.col(key).str.slice(-16), key).drop(_DROPPED)


def picture_rows(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Where every picture of the release lies, its content's hash, and what its licence asks for."""
    return tables["images"].select("image_id", "uri", "sha256", "width", "height", "split", "license", "attribution")
