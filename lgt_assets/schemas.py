"""The data dictionary: every table's pandera model, polars types and partition columns."""

from functools import cache

import polars as pl
from pandera.polars import DataFrameModel

from lgt_assets.asset_models import (
    ComposedQuestions,
    DistilledCots,
    ExpandedTraces,
    GroundedObjects,
    Images,
    PreferencePairs,
    RlPrompts,
    SeedQuestions,
    SftMix,
)
from lgt_assets.record_models import (
    Audits,
    Failures,
    Funnel,
    Generations,
    PictureHashes,
    Rejections,
    ShardMembers,
    Takedowns,
)
from lgt_assets.release_models import Evaluations, Release, ReleaseExclusions

SCHEMAS: dict[str, type[DataFrameModel]] = {
    "images": Images,
    "grounded_objects": GroundedObjects,
    "seed_questions": SeedQuestions,
    "composed_questions": ComposedQuestions,
    "distilled_cots": DistilledCots,
    "expanded_traces": ExpandedTraces,
    "preference_pairs": PreferencePairs,
    "sft_mix": SftMix,
    "rl_prompts": RlPrompts,
    "release": Release,
    "release_exclusions": ReleaseExclusions,
    "generations": Generations,
    "rejections": Rejections,
    "failures": Failures,
    "funnel": Funnel,
    "shard_members": ShardMembers,
    "audits": Audits,
    "picture_hashes": PictureHashes,
    "takedowns": Takedowns,
    "evaluations": Evaluations,
}
PARTITION_COLUMNS: dict[str, list[str]] = {
    "generations": ["shard", "asset"],
    "rejections": ["shard", "asset"],
    "failures": ["shard", "asset"],
    "funnel": ["shard", "asset"],
    "release": [],
    "release_exclusions": [],
    "takedowns": [],
    "evaluations": [],
}


def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Column names and polars types of ``table``, in the order of its pandera model."""
    return dict(_polars_schema(table))


@cache  # frames are made by the thousand, and a model does not change
def _polars_schema(table: str) -> dict[str, pl.DataType]:
    return {name: column.dtype.type for name, column in SCHEMAS[table].to_schema().columns.items()}


def partition_columns(table: str) -> list[str]:
    """Columns that ``table`` is partitioned by."""
    return PARTITION_COLUMNS.get(table, ["shard"])


def frame(table: str, rows: list[dict]) -> pl.DataFrame:
    """Rows as a frame with exactly ``table``'s columns and types; zero rows make an empty frame.

    Raises:
        polars.exceptions.PolarsError: a value does not fit its column's type.
    """
    return pl.DataFrame(rows, schema=polars_schema(table), strict=True)
