"""Pandera models of the tables beside the assets: completions, rejections, the funnel, who is in which shard."""

import pandera.polars as pa
import polars as pl
from pandera.polars import DataFrameModel, Field

from lgt_assets.audit_vocabulary import AUDITED_TABLES, ERROR_KINDS, VERDICTS
from lgt_assets.row_model import KEY_PATTERN, MEASURES, Rows


class Generations(Rows):
    """One completion with all that decided it and what it cost."""

    request_key: str = Field(unique=True, str_matches=KEY_PATTERN, description="Key.")
    asset: str = Field(description="Asset that paid for it.")
    role: str = Field(description="Role that the model played.")
    engine: str = Field(description="Engine that ran it.")
    endpoint: str = Field(
        nullable=True, description="Address of the server that answered; null: it ran in the process."
    )
    model: str = Field(description="Model name.")
    revision: str = Field(description="Model revision.")
    template_hash: str = Field(description="sha256 of the prompt's template.")
    prompt: str = Field(description="Rendered messages as JSON: role, text, image sha256s.")
    prefix: str = Field(description="Start of the assistant turn that was continued.")
    sampling: str = Field(description="Sampling parameters as JSON.")
    seed: int = Field(ge=0, description="Seed of the request.")
    sample_index: int = Field(ge=0, description="Which sample of this prompt.")
    text: str = Field(description="Raw completion.")
    finish_reason: str = Field(isin=["stop", "length"], description="Why it ended.")
    prompt_tokens: int = Field(ge=0, description="Tokens of the prompt.")
    cached_tokens: int = Field(ge=0, description="Prompt tokens served from a prefix cache.")
    completion_tokens: int = Field(ge=0, description="New tokens.")
    seconds: float = Field(ge=0, description="Wall seconds in flight.")


class Failures(Rows):
    """One request that got no completion when its shard was last made: `lgt run --retry-failed` asks again."""

    asset: str = Field(description="Asset that asked.")
    role: str = Field(description="Role that the model played.")
    model: str = Field(description="Model name.")
    request_key: str = Field(str_matches=KEY_PATTERN, description="Key of the request.")
    error: str = Field(description="Why, and what to do.")
    prompt: str = Field(description="Rendered messages as JSON: role, text, image sha256s.")
    prefix: str = Field(description="Start of the assistant turn that was to be continued.")
    sample_index: int = Field(ge=0, description="Which sample of this prompt.")


class Rejections(Rows):
    """One row that was not accepted, and why: rejects are data."""

    rejection_id: str = Field(unique=True, str_startswith="x.", description="Key.")
    asset: str = Field(description="Asset that rejected it.")
    parent_id: str = Field(nullable=True, description="Row it would have been made from.")
    request_key: str = Field(nullable=True, description="Completion it came in; null for source rows.")
    reason: str = Field(str_matches=r"^[a-z][a-z0-9_]*$", description="Why, as a word that can be counted.")
    detail: str = Field(description="File, row, field, or what was found; for people.")
    raw: str = Field(description="Raw text that was rejected.")
    measures: MEASURES = Field(description="Rates that it was judged by, such as support; empty where none was taken.")


class Funnel(Rows):
    """What one asset asked, got and kept in one shard, and what that cost."""

    asset: str = Field(description="Asset.")
    asked: int = Field(ge=0, description="Completions (for sources: rows) that were judged.")
    parsed: int = Field(ge=0, description="Of those, how many gave something to judge.")
    accepted: int = Field(ge=0, description="Rows written.")
    rejected: int = Field(ge=0, description="Rows rejected; see rejections for the reasons.")
    requests_sent: int = Field(ge=0, description="Requests sent to a model.")
    requests_reused: int = Field(ge=0, description="Requests answered by the response store.")
    requests_failed: int = Field(ge=0, description="Of those sent, how many got no completion; see failures.")
    prompt_tokens: int = Field(ge=0, description="Prompt tokens of the requests sent.")
    cached_tokens: int = Field(ge=0, description="Of those, served from a prefix cache.")
    completion_tokens: int = Field(ge=0, description="New tokens of the requests sent.")
    device_seconds: float = Field(
        ge=0, description="Seconds in which the engine had at least one of the requests, times its devices (GPUs)."
    )
    seconds: float = Field(ge=0, description="Wall seconds of the shard in this asset.")


class Audits(Rows):
    """What one person found of one row that `lgt audit sample` drew."""

    row_id: str = Field(str_length={"min_value": 1}, description="Row judged; with the auditor the key.")
    table: str = Field(isin=AUDITED_TABLES, description="Table of the row.")
    auditor: str = Field(str_length={"min_value": 1}, description="Who judged it.")
    verdict: str = Field(isin=VERDICTS, description="right or wrong.")
    error_kind: str = Field(isin=ERROR_KINDS, nullable=True, description="What is wrong; null for right.")
    note: str = Field(description="The auditor's words.")
    sample: str = Field(description="Id of the sample: of its table, number and seed.")
    judged_at: str = Field(description="When, as the auditor's browser says (ISO 8601).")

    @pa.dataframe_check(description="a wrong row says what is wrong, a right one nothing")
    def kind_goes_with_wrong(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Error rates by kind add up only so."""
        return data.lazyframe.select((pl.col("verdict") == "wrong") == pl.col("error_kind").is_not_null())

    @pa.dataframe_check(description="one verdict of an auditor for a row")
    def one_verdict(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """A second look replaces the first."""
        return data.lazyframe.select(pl.struct("row_id", "auditor").is_unique())


class PictureHashes(Rows):
    """Perceptual hash of a picture, taken once for all releases."""

    image_id: str = Field(unique=True, str_startswith="i.", description="Picture.")
    sha256: str = Field(str_matches=KEY_PATTERN, description="sha256 of the bytes that were hashed.")
    phash: str = Field(str_matches=r"^[0-9a-f]{16}$", description="pHash of 64 bits, as ImageHash writes it.")


class ShardMembers(DataFrameModel):
    """Which pictures a shard holds; append-only."""

    shard: str = Field(description="Shard.")
    image_id: str = Field(unique=True, description="Picture.")
    sha256: str = Field(str_matches=KEY_PATTERN, description="sha256 of the file's bytes.")
    removed: bool = Field(description="True for the tombstone of a takedown.")

    class Config:
        strict = True


class Takedowns(DataFrameModel):
    """One picture that was removed with all that was made of it; none of that is said here."""

    image_id: str = Field(unique=True, description="Picture; its tombstone is in shard_members.")
    sha256: str = Field(str_matches=KEY_PATTERN, description="sha256 of the file's bytes.")
    shard: str = Field(description="Shard that held it.")
    command: str = Field(description="Command that removed it.")
    taken_down_at: str = Field(description="When it began (ISO 8601, UTC).")
    removed: pl.List(pl.Struct({"table": pl.String, "rows": pl.Int64})) = Field(
        description="Rows removed together with it, by table."
    )
    row_digests: pl.List(pl.String) = Field(
        description="16 hex digits of the sha256 of every removed id and request key: whoever has one can be told."
    )
    releases: pl.List(pl.String) = Field(description="Releases that held its shard: they can no longer be rebuilt.")

    class Config:
        strict = True
