"""Counts over tables that may be larger than memory, the same in whatever order rows are met: sums of whole numbers alone."""

from collections.abc import Iterable

import polars as pl

BINS_PER_DOUBLING = 4
SHARE_BINS = 10
_MILLIONTHS = 1_000_000


def counts(rows: pl.LazyFrame, *keys: str | pl.Expr, name: str = "rows", sums: Iterable[pl.Expr] = ()) -> list[dict]:
    """How many rows have each combination of ``keys``, with sums of whole numbers beside; ordered by the keys."""
    exprs = [pl.col(key) if isinstance(key, str) else key for key in keys]
    named = [expr.meta.output_name() for expr in exprs]
    grouped = rows.group_by(exprs).agg(pl.len().cast(pl.Int64).alias(name), *sums)
    return grouped.sort(named, nulls_last=True).collect(engine="streaming").to_dicts()


def millionths(value: pl.Expr) -> pl.Expr:
    """The sum of a rate in millionths, a whole number: a sum of floats would depend on the order of rows."""
    return (value * _MILLIONTHS).round().cast(pl.Int64).sum()


def mean_of(total: int | None, count: int) -> float | None:
    """The mean of ``count`` rates whose :func:`millionths` are ``total``; None without any."""
    return round((total or 0) / count / _MILLIONTHS, 6) if count else None


def length_bins(lengths: pl.Expr) -> pl.Expr:
    """Number of the bin of a length, four to a doubling; see :func:`length_edges`."""
    return (lengths.cast(pl.Float64).clip(1).log(2) * BINS_PER_DOUBLING).floor().cast(pl.Int64)


def length_edges(number: int) -> tuple[float, float]:
    """Lower and upper edge of a bin of :func:`length_bins`."""
    low, high = (round(2 ** ((number + more) / BINS_PER_DOUBLING), 2) for more in (0, 1))
    return low, high


def share_bins(share: pl.Expr) -> pl.Expr:
    """Number of the bin of a share, ten of them; 1 lies in the last."""
    return (share * SHARE_BINS + 1e-9).floor().cast(pl.Int64).clip(0, SHARE_BINS - 1)


def share_edges(number: int) -> tuple[float, float]:
    """Lower and upper edge of a bin of :func:`share_bins`."""
    return number / SHARE_BINS, (number + 1) / SHARE_BINS
