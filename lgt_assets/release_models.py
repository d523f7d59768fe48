"""Pandera models of what releases leave behind."""

import polars as pl
from pandera.polars import DataFrameModel, Field

from lgt_assets.row_model import STRINGS


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
