"""Pandera models of what releases leave behind."""

import polars as pl
from pandera.polars import DataFrameModel, Field

from lgt_assets.row_model import STAGES, STRINGS


class Release(DataFrameModel):
    """One release: the table versions it is made of, and all that its files and its card are written from."""

    release_id: str = Field(
        unique=True, description="Key: hash of what it holds and tells; equal content, equal release."
    )
    number: int = Field(ge=1, description="In the order of making: the latest, also one made again, has the highest.")
    uri: str = Field(description="Folder of its rows as parquet, and its card.")
    code_version: str = Field(description="Version of the code that decides what a release holds.")
    inputs: pl.List(pl.Struct({"table": pl.String, "version": pl.Int64})) = Field(
        description="Pinned Delta versions: maintenance keeps them."
    )
    shards: STRINGS = Field(description="Shards in it.")
    settings: str = Field(description="Sizes and seed of the draw, as JSON.")
    files: pl.List(
        pl.Struct({"config": pl.String, "split": pl.String, "path": pl.String, "rows": pl.Int64, "content": pl.String})
    ) = Field(description="Rows of each config and split, their file below uri, and the digest of what they say.")
    excluded: pl.List(pl.Struct({"reason": pl.String, "table": pl.String, "rows": pl.Int64})) = Field(
        description="Pictures, questions and rows left out, by reason; release_exclusions names them."
    )
    facts: str = Field(description="What the card tells of how it was made, as JSON.")
    libraries: pl.List(pl.Struct({"name": pl.String, "version": pl.String})) = Field(
        description="Versions under which it was written: under the same ones it is written again byte for byte."
    )

    class Config:
        strict = True


class ReleaseExclusions(DataFrameModel):
    """What a release leaves out."""

    release_id: str = Field(description="Release.")
    row_id: str = Field(description="Picture, question, example, pair or prompt; all below it is left out with it.")
    table: str = Field(description="Its table.")
    reason: str = Field(str_matches=r"^[a-z][a-z0-9_]*$", description="Why, as a word that can be counted.")
    detail: str = Field(description="What it overlaps with or repeats.")

    class Config:
        strict = True


class Evaluations(DataFrameModel):
    """How many questions of a suite a model answered right, in all and by type and hops."""

    number: int = Field(ge=1, description="In the order of scoring: of equal keys the row with the highest counts.")
    release_id: str = Field(description="Release that the model was trained on, and whose prompts are not asked.")
    stage: str = Field(isin=STAGES, description="What trained it last; student: nothing of the release yet.")
    recipe: str = Field(description="Recipe of its training; empty for the student.")
    seed: str = Field(description="Seed of its training; empty for the student.")
    weights: str = Field(str_matches=r"^[0-9a-f]{16}$", description="Hash of its weights.")
    suite: str = Field(description="Which questions, see lgt_assets.training.held_out.")
    type: str = Field(description="Question type, `hops: N`, or `all`.")
    n: int = Field(gt=0, description="Questions asked.")
    right: int = Field(ge=0, description="Answered right, by the release's own verifier.")
    low: float = Field(ge=0, le=1, description="Lower end of the share's 95 % interval (Wilson).")
    high: float = Field(ge=0, le=1, description="Upper end.")
    well_formed: int = Field(ge=0, description="Replies in the form of the traces.")
    tokens: int = Field(ge=0, description="Tokens of the replies.")
    seconds: float = Field(ge=0, description="Wall time of the whole suite's answers.")

    class Config:
        strict = True
