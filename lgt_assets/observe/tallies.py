"""Numbers of a shard's rows, added up a batch at a time: memory does not grow with the rows."""

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

MOST_CATEGORIES = 1000  # kept apart; a model may write any number of them
OTHER = "other"
SHARE_BINS = 10
LENGTH_BINS_PER_DOUBLING = 4


@dataclass(frozen=True)
class Mean:
    """The mean of ``value`` over rows that have one: a rate where it is true or false."""

    name: str
    value: pl.Expr


@dataclass(frozen=True)
class Bars:
    """How many rows have each value of ``category``; those in ``order`` come first, in it, even where there are none."""

    title: str
    category: pl.Expr
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class Histogram:
    """How many rows have which ``value``, apart by ``series`` where it is given.

    ``is_share``: from ``lowest`` to 1 in equal steps; otherwise lengths, four bins to a doubling.
    """

    title: str
    value: pl.Expr
    series: pl.Expr | None = None
    is_share: bool = False
    lowest: float = 0.0


Plot = Bars | Histogram


@dataclass(frozen=True)
class Measures:
    """All that is measured of one table."""

    means: tuple[Mean, ...] = ()
    plots: tuple[Plot, ...] = ()


@dataclass
class Tally:
    """Counts so far; :meth:`add` the batches, then read."""

    measures: Measures
    rows: int = 0
    _sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    _counts: dict[str, Counter] = field(default_factory=dict)

    def add(self, rows: pl.DataFrame) -> None:
        """Count a batch of the table's rows."""
        self.rows += rows.height
        if not rows.height:
            return
        means = self.measures.means
        found = rows.select(
            *(pl.struct(m.value.cast(pl.Float64).sum().alias("s"), m.value.count().alias("n")).alias(m.name) for m in means)
        ).row(0, named=True) if means else {}  # fmt: skip
        for name, new in found.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + (new["s"] or 0.0), count + new["n"])
        for plot in self.measures.plots:
            self._count(plot, rows)

    def _count(self, plot: Plot, rows: pl.DataFrame) -> None:
        counts = self._counts.setdefault(plot.title, Counter())
        if isinstance(plot, Bars):
            keys = rows.select(plot.category.cast(pl.String).alias("key")).drop_nulls()
        else:
            series = plot.series if plot.series is not None else pl.lit("")
            keys = rows.select(series.cast(pl.String).alias("series"), _bin(plot).alias("bin")).drop_nulls()
        for *key, count in keys.group_by(keys.columns).len().sort(keys.columns).iter_rows():
            known = tuple(key) in counts or len(counts) < MOST_CATEGORIES
            counts[tuple(key) if known else (OTHER, *key[1:])] += count

    def means(self) -> dict[str, float]:
        """Each mean that at least one row has a value for, rounded to six digits."""
        return {name: float(f"{total / count:.6g}") for name, (total, count) in self._sums.items() if count}

    def bars(self, plot: Bars) -> list[tuple[str, int]]:
        """(category, rows): those of the plot's order, then the others from the most frequent down."""
        counts = {key[0]: count for key, count in self._counts.get(plot.title, Counter()).items()}
        others = sorted(set(counts) - set(plot.order), key=lambda key: (-counts[key], key))
        return [(key, counts.get(key, 0)) for key in (*plot.order, *others)] if counts else []

    def histogram(self, plot: Histogram) -> dict[str, list[tuple[float, float, int]]]:
        """By series (lower edge, upper edge, rows) of each bin that has any, ascending."""
        found: dict[str, list[tuple[float, float, int]]] = {}
        for (series, number), count in sorted(self._counts.get(plot.title, Counter()).items()):
            found.setdefault(series, []).append((_edge(plot, number), _edge(plot, number + 1), count))
        return found


def _bin(plot: Histogram) -> pl.Expr:
    """Number of the bin of a value; 1, the highest share, lies in the last."""
    value = plot.value.cast(pl.Float64)
    if plot.is_share:
        step = (1 - plot.lowest) / SHARE_BINS
        return ((value - plot.lowest) / step + 1e-9).floor().cast(pl.Int64).clip(0, SHARE_BINS - 1)
    return (value.clip(1).log(2) * LENGTH_BINS_PER_DOUBLING).floor().cast(pl.Int64)


def _edge(plot: Histogram, number: int) -> float:
    if plot.is_share:
        return plot.lowest + number * (1 - plot.lowest) / SHARE_BINS
    return 2 ** (number / LENGTH_BINS_PER_DOUBLING)
