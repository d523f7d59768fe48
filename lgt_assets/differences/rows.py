"""Two states of one slice, row by row: which keys came, went, stayed, moved, and in which columns rows differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

KEY = "key"
PLACE = "ordinal"
_NEW = " of the new state"  # no column's name has a blank


@dataclass(frozen=True)
class RowDifference:
    """Keys of one slice by what became of them.

    Attributes:
        removed, added: keys (String).
        changed: ``key`` and ``columns`` (names that differ) of rows in both states.
        moved: rows that are the same but for their ordinal.
        unchanged: rows that are the same.
    """

    removed: pl.Series
    added: pl.Series
    changed: pl.DataFrame
    moved: int
    unchanged: int


def key_expression(columns: Sequence[str]) -> pl.Expr:
    """The key of a row as one text."""
    return pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator=" ").alias(KEY)


def difference(old: pl.LazyFrame, new: pl.LazyFrame, keys: Sequence[str], columns: Sequence[str]) -> RowDifference:
    """Compare by hashes of 64 bits, a column at a time: no text of either state stays in memory.

    Args:
        old, new: rows with ``keys``, ``columns`` and, where both have it, ``ordinal``.
        keys: what identifies a row.
        columns: what is compared.
    """
    order = [PLACE] if {PLACE} <= set(old.collect_schema()) & set(new.collect_schema()) else []
    hashed = [
        frame.select(key_expression(keys), *order, *(pl.col(name).hash().alias(name) for name in columns))
        for frame in (old, new)
    ]
    before, after = (frame.collect(engine="streaming") for frame in hashed)
    both = before.join(after, on=KEY, how="inner", suffix=_NEW)
    differs = [pl.when(pl.col(name) != pl.col(name + _NEW)).then(pl.lit(name)) for name in columns]
    named = both.with_columns(
        (pl.concat_list(differs).list.drop_nulls() if differs else pl.lit([], dtype=pl.List(pl.String))).alias(
            "columns"
        )
    )
    same = named.filter(pl.col("columns").list.len() == 0)
    moved = same.filter(pl.col(PLACE) != pl.col(PLACE + _NEW)).height if order else 0
    return RowDifference(
        removed=before.join(after, on=KEY, how="anti")[KEY],
        added=after.join(before, on=KEY, how="anti")[KEY],
        changed=named.filter(pl.col("columns").list.len() > 0).select(KEY, "columns"),
        moved=moved,
        unchanged=same.height - moved,
    )
