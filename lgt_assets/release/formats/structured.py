"""Messages whose content is a list of typed parts, pictures first: ms-swift and axolotl read it."""

import polars as pl

from lgt_assets.release.formats.base import EMBEDDED, REFERENCED, Format, Rows

_TYPE, _TEXT = "type", "text"


def sft(rows: Rows) -> pl.DataFrame:
    """``messages`` with a part of type image for each picture before the first user turn's text."""
    most = rows.frame["pictures"].list.len().max() or 0
    chosen = _parts(0)
    for count in range(1, most + 1):
        chosen = pl.when(pl.col("pictures").list.len() == count).then(_parts(count)).otherwise(chosen)
    return rows.frame.select(
        chosen.alias("messages"), pl.col("pictures").alias("images"), pl.col("example_id").alias("row_id"), "recipe"
    )


def _parts(pictures: int) -> pl.Expr:
    role, content = (pl.element().struct.field(name) for name in ("role", "content"))
    text = pl.struct(pl.lit(_TEXT).alias(_TYPE), content.alias(_TEXT))
    picture = pl.struct(pl.lit("image").alias(_TYPE), pl.lit(None, dtype=pl.String).alias(_TEXT))
    is_first_user = (role == "user") & ((role == "user").cum_sum() == 1)
    parts = pl.when(is_first_user).then(pl.concat_list(*[picture] * pictures, text)).otherwise(pl.concat_list(text))
    return pl.col("messages").list.eval(pl.struct(role.alias("role"), parts.alias("content")))


STRUCTURED = Format(
    "structured",
    "axolotl, ms-swift",
    {"sft": sft},
    "{config}/{split}-{part:05}.parquet",
    EMBEDDED,
    allowed=(REFERENCED,),
    hub=True,
)
