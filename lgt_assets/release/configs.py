"""The seven published configs: which rows of which table each holds, with the picture's path and split."""

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
    """Rows of config ``name`` in ``split``: the table's columns, and the picture's uri, sha256 and licence.

    Args:
        name: one of :data:`CONFIGS`.
        split: ``train`` or ``validation``; a picture is in one of them only, so a question is too.
        tables: lazy frames of :data:`RELEASE_TABLES`.

    Rows are ordered by the hash in their id, so that no shard's order shows.
    """
    config = CONFIGS[name]
    pictures = tables["images"].filter(pl.col("split") == split)
    pictures = pictures.select("image_id", pl.col("uri").alias("image_uri"), pl.col("sha256").alias("image_sha256"), "license")
    rows = tables[config.table].filter(pl.col("stage").is_in(list(config.stages))).join(pictures, on="image_id")
    key = rows.collect_schema().names()[2]
    return rows.sort(pl.col(key).str.slice(-16), key).drop(_DROPPED)
