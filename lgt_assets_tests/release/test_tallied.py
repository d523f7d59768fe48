"""Counts are the same in whatever order rows are met, also where floats are added up."""

import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.release.tallied import (
    counts,
    length_bins,
    length_edges,
    mean_of,
    millionths,
    share_bins,
    share_edges,
)

RATES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_groups_come_in_the_order_of_their_keys() -> None:
    rows = pl.LazyFrame({"key": [f"{n * 7919 % 997:03}" for n in range(997)], "n": [n % 3 for n in range(997)]})
    found = counts(rows, "key", "n", name="rows", sums=[pl.col("n").sum().alias("sum")])
    assert [row["key"] for row in found] == [f"{n:03}" for n in range(997)]
    assert all(row["rows"] == 1 and row["sum"] == row["n"] for row in found)


@settings(max_examples=40, deadline=None)
@given(RATES, st.randoms())
def test_a_mean_of_rates_does_not_depend_on_their_order(rates: list[float], random: object) -> None:
    def mean(values: list[float]) -> float | None:
        return mean_of(pl.DataFrame({"x": values}).select(millionths(pl.col("x"))).item(), len(values))

    shuffled = sorted(rates, key=lambda _: random.random())
    assert mean(rates) == mean(shuffled)
    assert math.isclose(mean(rates), sum(rates) / len(rates), abs_tol=2e-6)


@given(st.integers(1, 10**7))
def test_a_length_lies_within_the_edges_of_its_bin(length: int) -> None:
    number = pl.DataFrame({"x": [length]}).select(length_bins(pl.col("x"))).item()
    low, high = length_edges(number)
    assert low - 0.01 <= length <= high + 0.01


@given(st.integers(1, 40), st.data())
def test_a_share_lies_within_the_edges_of_its_bin(samples: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, samples)) / samples
    number = pl.DataFrame({"x": [share]}).select(share_bins(pl.col("x"))).item()
    low, high = share_edges(number)
    assert low - 1e-9 <= share and (share < high or high == 1)
