"""The Hugging Face hub's and TRL's: message lists without placeholders, pictures as Image structs beside them.

TRL 1.16 puts a picture's tokens before the first user turn by itself; it would train on a literal ``<image>``.
"""

import polars as pl

from lgt_assets.release.formats.base import EMBEDDED, REFERENCED, Format, Rows
from lgt_assets.release.messages import as_turn, assistant_text, without_last

_TRACED = ("question_id", pl.col("images").alias("image_ids"))
_IMAGES = pl.col("pictures").alias("images")


def sft(rows: Rows) -> pl.DataFrame:
    """``prompt`` and ``completion``: the loss is on the completion alone."""
    frame = rows.frame.with_columns(assistant_text("messages").alias("completion"))
    return frame.select(
        _IMAGES, without_last("messages").alias("prompt"), as_turn("completion").alias("completion"),
        pl.col("example_id").alias("row_id"), *_TRACED, "recipe", "stage", "origin_id",
    )  # fmt: skip


def dpo(rows: Rows) -> pl.DataFrame:
    """``prompt``, ``chosen`` and ``rejected``."""
    return rows.frame.select(
        _IMAGES, "prompt", as_turn("chosen").alias("chosen"), as_turn("rejected").alias("rejected"),
        pl.col("pair_id").alias("row_id"), *_TRACED, "kind", "stage", "chosen_id", "rejected_id",
    )  # fmt: skip


def rl(rows: Rows) -> pl.DataFrame:
    """``prompt`` and what the rewards of the release's rewards.py are given: TRL hands every further column to them."""
    return rows.frame.select(
        _IMAGES, pl.col("messages").alias("prompt"), "ground_truth", "verification",
        pl.col("choices_shown").alias("choices"), pl.col("prompt_id").alias("row_id"), *_TRACED, "form", "stage",
        "answer_text", "pass_rate", "pass_rate_low", "pass_rate_high", "samples", "difficulty",
    )  # fmt: skip


HF = Format(
    "hf", "TRL, and whatever reads the Hugging Face hub", {"sft": sft, "dpo": dpo, "rl": rl},
    "{config}/{split}-{part:05}.parquet", EMBEDDED, allowed=(REFERENCED,), hub=True,
)  # fmt: skip
