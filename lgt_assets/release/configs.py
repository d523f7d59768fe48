"""The seven published configs: which rows of which table each holds, and how many of them."""

import hashlib
from dataclasses import dataclass

import polars as pl

from lgt_assets.errors import SettingsError


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
# The questions are read for what they ask: which of them a release leaves out.
RELEASE_TABLES = ("images", "seed_questions", "composed_questions", "sft_mix", "preference_pairs", "rl_prompts")
_DROPPED = ("shard", "ordinal")


@dataclass(frozen=True)
class Draw:
    """Exactly ``sizes[config]`` rows of a config's train split; all rows of the others, and of validation."""

    sizes: dict[str, int]
    seed: int = 0

    def size(self, name: str, split: str) -> int | None:
        """Rows to draw, or None for all."""
        return self.sizes.get(name) if split == "train" else None


def config_rows(name: str, split: str, tables: dict[str, pl.LazyFrame], draw: Draw) -> pl.LazyFrame:
    """Rows of config ``name`` in ``split``, ordered by the hash in their id, so that no shard's order shows.

    A draw takes the rows whose hash with the seed is lowest: with more shards a row that was drawn may give way to a new
    one, never for another reason; the rows drawn of a stage are the first of that stage to enter a merged config.

    Args:
        name: one of :data:`CONFIGS`.
        split: ``train`` or ``validation``; a picture is in one of them only, so a question is too.
        tables: lazy frames of :data:`RELEASE_TABLES`.
        draw: how many rows.

    Raises:
        SettingsError: fewer rows than are to be drawn, or a size for a config that does not exist.
    """
    unknown = sorted(set(draw.sizes) - set(CONFIGS))
    if unknown:
        raise SettingsError(f"release.sizes: there is no config {', '.join(unknown)}; there are {', '.join(CONFIGS)}")
    config = CONFIGS[name]
    pictures = tables["images"].filter(pl.col("split") == split).select("image_id")
    rows = tables[config.table].filter(pl.col("stage").is_in(list(config.stages)))
    key = rows.collect_schema().names()[2]
    rows = rows.join(pictures, on="image_id", how="semi")
    size = draw.size(name, split)
    if size is not None:
        rows = rows.join(_drawn(rows.select(key).collect()[key], size, draw.seed, name).lazy(), on=key, how="semi")
    return rows.sort(pl.col(key).str.slice(-16), key).drop(_DROPPED)


def _drawn(ids: pl.Series, size: int, seed: int, name: str) -> pl.DataFrame:
    """The ``size`` ids with the lowest hashes."""
    if len(ids) < size:
        raise SettingsError(
            f"release.sizes: {name} is to have {size:,} rows in train and there are {len(ids):,}: lower it or make more"
        )
    hashes = [hashlib.blake2b(f"{seed}:{row_id}".encode(), digest_size=8).digest() for row_id in ids]
    return ids.to_frame().with_columns(pl.Series("hash", hashes)).sort("hash", ids.name).head(size).drop("hash")


def picture_rows(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Where every picture of the release lies, its content's hash, and what its licence asks for."""
    return tables["images"].select("image_id", "uri", "sha256", "width", "height", "split", "license", "attribution")
