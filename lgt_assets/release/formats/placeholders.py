"""Formats that want ``<image>`` in the user's text, once a picture: LLaMA-Factory, ms-swift, verl, EasyR1, OpenRLHF."""

import polars as pl

from lgt_assets.release.formats.base import EMBEDDED, FILES, REFERENCED, Format, Rows
from lgt_assets.release.messages import as_turn, with_placeholders

_IMAGES = pl.col("pictures").alias("images")
_RL_FILE = "{config}_{split}.parquet"
_JSON_LINES = "{config}_{split}.jsonl"


def _asked(rows: Rows, messages: str) -> pl.Expr:
    most = rows.frame["pictures"].list.len().max() or 0
    return with_placeholders(pl.col(messages), pl.col("pictures"), most)


def _question(rows: Rows) -> pl.DataFrame:
    """The rows with ``problem``: the text of the one user turn, with placeholders."""
    return rows.frame.with_columns(_asked(rows, "messages").alias("asked"))


def _problem() -> pl.Expr:
    return pl.col("asked").list.last().struct.field("content")


def messages_sft(rows: Rows) -> pl.DataFrame:
    """The whole chat in ``messages``; both trainers mask all but the assistant's turns."""
    return rows.frame.select(_asked(rows, "messages").alias("messages"), _IMAGES, pl.col("example_id").alias("row_id"))


def llamafactory_dpo(rows: Rows) -> pl.DataFrame:
    """ShareGPT with ``ranking``: one turn chosen, one rejected."""
    turn = [
        pl.struct(pl.lit("assistant").alias("role"), pl.col(name).alias("content")).alias(name)
        for name in ("chosen", "rejected")
    ]
    return rows.frame.select(
        _asked(rows, "prompt").alias("messages"), *turn, _IMAGES, pl.col("pair_id").alias("row_id")
    )


def swift_dpo(rows: Rows) -> pl.DataFrame:
    """The chosen turn ends ``messages``; the other is ``rejected_response``."""
    asked = _asked(rows, "prompt").list.concat(as_turn("chosen"))
    return rows.frame.select(
        asked.alias("messages"),
        pl.col("rejected").alias("rejected_response"),
        _IMAGES,
        pl.col("pair_id").alias("row_id"),
    )


def swift_rl(rows: Rows) -> pl.DataFrame:
    """User turn and ``solution``; further columns reach the reward plugin."""
    return rows.frame.select(
        _asked(rows, "messages").alias("messages"), _IMAGES, pl.col("ground_truth").alias("solution"), "verification",
        pl.col("choices_shown").alias("choices"), pl.col("prompt_id").alias("row_id"),
    )  # fmt: skip


def verl_rl(rows: Rows) -> pl.DataFrame:
    """``reward_model`` and ``extra_info`` go to the release's ``compute_score``."""
    index = pl.int_range(rows.start, rows.start + rows.frame.height, dtype=pl.Int64)
    return rows.frame.select(
        pl.lit("lgt").alias("data_source"), _asked(rows, "messages").alias("prompt"), _IMAGES,
        pl.lit("visual_reasoning").alias("ability"),
        pl.struct(pl.lit("rule").alias("style"), "ground_truth").alias("reward_model"),
        pl.struct(
            pl.lit(rows.split).alias("split"), index.alias("index"), pl.col("prompt_id").alias("row_id"), "verification",
            pl.col("choices_shown").alias("choices"), "difficulty", "pass_rate",
        ).alias("extra_info"),
    )  # fmt: skip


def easyr1_rl(rows: Rows) -> pl.DataFrame:
    """``problem`` and ``answer``."""
    return _question(rows).select(
        _IMAGES, _problem().alias("problem"), pl.col("ground_truth").alias("answer"), "verification",
        pl.col("choices_shown").alias("choices"), pl.col("prompt_id").alias("row_id"),
    )  # fmt: skip


def openrlhf_rl(rows: Rows) -> pl.DataFrame:
    """``prompt`` as messages, and a flat ``label``."""
    return rows.frame.select(
        _asked(rows, "messages").alias("prompt"), _IMAGES, pl.col("ground_truth").alias("label"),
        pl.col("prompt_id").alias("row_id"),
    )  # fmt: skip


LLAMAFACTORY = Format(
    "llamafactory", "LLaMA-Factory (it trains on no RL prompts)", {"sft": messages_sft, "dpo": llamafactory_dpo}, _JSON_LINES,
    FILES, allowed=(REFERENCED,),
)  # fmt: skip
SWIFT = Format(
    "swift",
    "ms-swift",
    {"sft": messages_sft, "dpo": swift_dpo, "rl": swift_rl},
    _JSON_LINES,
    FILES,
    allowed=(REFERENCED,),
)
VERL = Format("verl", "verl", {"rl": verl_rl}, _RL_FILE, EMBEDDED)
EASYR1 = Format("easyr1", "EasyR1", {"rl": easyr1_rl}, _RL_FILE, EMBEDDED)
OPENRLHF = Format("openrlhf", "OpenRLHF", {"rl": openrlhf_rl}, _RL_FILE, EMBEDDED, hub=True)
