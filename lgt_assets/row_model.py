"""What the models of all tables share: column types, closed vocabularies, and the columns of partitioned tables."""

import polars as pl
from pandera.polars import DataFrameModel, Field

STRINGS = pl.List(pl.String)
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
VOTES = pl.List(
    pl.Struct(
        {
            "check": pl.String,
            "withheld_id": pl.String,
            "request_key": pl.String,
            "answer_index": pl.Int64,
            "correct": pl.Boolean,
        }
    )
)
MEASURES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))
BEHAVIOURS = pl.Struct({"subgoal_setting": pl.Int64, "backtracking": pl.Int64, "verification": pl.Int64})
JUDGED_BEHAVIOURS = pl.Struct(
    {
        "request_key": pl.String,
        "subgoal_setting": pl.Boolean,
        "backtracking": pl.Boolean,
        "verification": pl.Boolean,
    }
)
ANSWER_FORMATS = ("letter", "letter_text")
FOCUSES = ("one_object", "two_objects", "several_objects", "region", "scene")
COMPOSITION_KINDS = ("bridge", "compare", "intersect", "aggregate", "conditional")
TRANSITIONS = ("OO", "XO", "OX", "XX")
PAIR_KINDS = ("compactness", "expansion_breaks", "correction", "correction_over_error", "right_over_wrong")
RECIPES = ("direct", "simple", "long")
PROMPT_FORMS = ("choice", "open")
VERIFICATIONS = ("letter", "number", "exact_text")
DIFFICULTIES = ("unsolved", "hard", "medium", "easy", "solved")
STAGES = ("student", "sft", "dpo", "grpo")
KEY_PATTERN = r"^[0-9a-f]{64}$"


class Rows(DataFrameModel):
    """Columns of every partitioned table."""

    shard: str = Field(description="Shard (partition) the row lies in.", str_length={"min_value": 1})
    ordinal: int = Field(ge=0, description="Position in the shard: file order is data order.")

    class Config:
        strict = True
        ordered = False
