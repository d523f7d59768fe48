"""The tables' own columns, without pictures: what every release keeps, for looking up rows by their ids."""

import polars as pl

from lgt_assets.release.formats.base import NAMED, Format, Rows

ADDED = ("pictures", "split", "width", "height")
PLACE = ("shard", "ordinal")


def own_columns(rows: Rows) -> pl.DataFrame:
    """All columns of the table but where the row lay; ``images`` holds image_ids."""
    return rows.frame.drop(*ADDED, *PLACE)


ROWS = Format(
    "rows", "people and programs that look rows up", dict.fromkeys(("sft", "dpo", "rl"), own_columns),
    "{config}/{split}.parquet", NAMED,
)  # fmt: skip
