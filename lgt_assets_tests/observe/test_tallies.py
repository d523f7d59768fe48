"""Counts are those of all rows, however they come."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.observe.measures import MEASURES
from lgt_assets.observe.tallies import MOST_CATEGORIES, OTHER, Bars, Histogram, Mean, Measures, Tally
from lgt_assets.schemas import frame
from lgt_assets.validation import REFERENCES
from lgt_assets_tests.made_tables import made_rows

SHARE = Histogram("share", pl.col("share"), is_share=True)
SIGNED = Histogram("signed", pl.col("share"), is_share=True, lowest=-1.0)
LENGTH = Histogram("length", pl.col("length"), pl.col("kind"))
KINDS = Bars("kinds", pl.col("kind"), ("b", "never"))
MADE = Measures(
    (Mean("mean_share", pl.col("share")), Mean("rate", pl.col("length") > 10)), (SHARE, SIGNED, LENGTH, KINDS)
)
ROWS = pl.DataFrame(
    {"share": [0.0, 0.25, 1.0, None], "length": [1, 16, 17, 40], "kind": ["a", "b", "a", "c"]},
    schema={"share": pl.Float64, "length": pl.Int64, "kind": pl.String},
)


def tally_of(measures: Measures, *batches: pl.DataFrame) -> Tally:
    tally = Tally(measures)
    for batch in batches:
        tally.add(batch)
    return tally


def everything(tally: Tally) -> list:
    plots = [tally.bars(p) if isinstance(p, Bars) else tally.histogram(p) for p in tally.measures.plots]
    return [tally.rows, tally.means(), *plots]


def test_means_are_over_rows_that_have_a_value() -> None:
    assert tally_of(MADE, ROWS).means() == {"mean_share": 0.416667, "rate": 0.75}
    assert tally_of(MADE, ROWS.filter(pl.col("share").is_null())).means() == {"rate": 1.0}


def test_bars_have_their_order_then_the_most_frequent() -> None:
    assert tally_of(MADE, ROWS).bars(KINDS) == [("b", 1), ("never", 0), ("a", 2), ("c", 1)]
    assert tally_of(MADE).bars(KINDS) == []


def test_shares_fall_into_ten_bins_and_one_into_the_last() -> None:
    (bins,) = tally_of(MADE, ROWS).histogram(SHARE).values()
    assert [(round(low, 2), round(high, 2), count) for low, high, count in bins] == [
        (0, 0.1, 1),
        (0.2, 0.3, 1),
        (0.9, 1.0, 1),
    ]
    (bins,) = tally_of(MADE, ROWS).histogram(SIGNED).values()
    assert [(round(low, 2), round(high, 2), count) for low, high, count in bins] == [
        (0, 0.2, 1),
        (0.2, 0.4, 1),
        (0.8, 1.0, 1),
    ]


@pytest.mark.parametrize("step", range(11))
def test_a_share_of_tenths_is_never_a_bin_too_low(step: int) -> None:
    tally = tally_of(Measures((), (SHARE,)), pl.DataFrame({"share": [step * 0.1, step / 10]}))
    (((low, _, count),),) = tally.histogram(SHARE).values()
    assert (round(low, 2), count) == (min(step, 9) / 10, 2)


def test_lengths_have_four_bins_to_a_doubling_by_series() -> None:
    found = tally_of(MADE, ROWS).histogram(LENGTH)
    assert set(found) == {"a", "b", "c"}
    ((low, high, count),) = found["b"]
    assert (low, round(high, 3), count) == (16.0, 19.027, 1)


@given(st.lists(st.integers(0, 3), max_size=5))
def test_batches_add_up_to_the_whole(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), ROWS.height]
    batches = [ROWS[start:end] for start, end in zip(places, places[1:], strict=False)]
    assert everything(tally_of(MADE, *batches)) == everything(tally_of(MADE, ROWS))


def test_a_model_that_invents_types_without_end_does_not_fill_the_memory() -> None:
    batches = [pl.DataFrame({"kind": [f"{n}-{m}" for m in range(500)]}) for n in range(10)]
    tally = tally_of(Measures((), (Bars("kinds", pl.col("kind")),)), *batches)
    counts = dict(tally.bars(tally.measures.plots[0]))
    assert len(counts) == MOST_CATEGORIES + 1
    assert sum(counts.values()) == 5000 and counts[OTHER] == 4000


def test_every_partitioned_table_is_measured() -> None:
    assert set(MEASURES) == set(REFERENCES)


@pytest.mark.parametrize("table", sorted(MEASURES))
def test_every_measure_reads_its_table(table: str) -> None:
    tally = tally_of(MEASURES[table], frame(table, made_rows()[table]), frame(table, []))
    unknown = {"mean_hardness", "mean_consistency", "mean_necessity", "mean_key_agreement", "mean_blindness"}
    missing = {mean.name for mean in MEASURES[table].means} - set(tally.means())
    assert missing <= unknown | {"share_right_seed_questions"}
    shown = [p.title for p in MEASURES[table].plots if (tally.bars(p) if isinstance(p, Bars) else tally.histogram(p))]
    assert len(shown) >= 2
    assert len({plot.title for plot in MEASURES[table].plots}) == len(MEASURES[table].plots)


def test_letters_and_behaviours_have_words() -> None:
    row = made_rows()["distilled_cots"][0] | {"right_index": 30, "answer_index": 2}
    both = {"subgoal_setting": 1, "backtracking": 0, "verification": 3}
    rows = [row | {"behaviours": both}, row, row | {"behaviours": dict.fromkeys(both, 1)}]
    tally = tally_of(MEASURES["distilled_cots"], frame("distilled_cots", rows))
    plots = {plot.title: tally.bars(plot) for plot in tally.measures.plots if isinstance(plot, Bars)}
    assert plots["position of the answer given"] == [("A", 0), ("B", 0), ("C", 3), ("D", 0)]
    assert plots["position of the right answer"][-1] == ("past Z", 3)
    assert set(plots["behaviours in a thought"]) == {("subgoals + verifies", 1), ("none", 1), ("all three", 1)}
