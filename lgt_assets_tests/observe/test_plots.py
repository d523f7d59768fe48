"""The plots of every table are one small picture with a ground of its own, whatever a model named things."""

import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lgt_assets.charts import DOTS_PER_INCH, PANEL
from lgt_assets.observe.measures import MEASURES
from lgt_assets.observe.plots import draw_plots
from lgt_assets.observe.tallies import Bars, Histogram, Measures, Tally
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import made_rows

TITLE_CHARACTERS = 42  # more would run into the next plot


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def drawn(rows: pl.DataFrame, *plots: Bars | Histogram) -> bytes:
    tally = Tally(Measures((), plots))
    tally.add(rows)
    return draw_plots(tally)


@pytest.mark.parametrize("table", sorted(MEASURES))
def test_every_table_has_a_small_picture_on_a_light_ground(table: str) -> None:
    tally = Tally(MEASURES[table])
    tally.add(frame(table, made_rows()[table]))
    png = draw_plots(tally)
    picture = opened(png)
    assert picture.width <= 3 * PANEL[0] * DOTS_PER_INCH
    assert len(png) < 20_000
    corners = [(0, 0), (picture.width - 1, 0), (0, picture.height - 1)]
    assert all(min(picture.getpixel(corner)) > 245 for corner in corners)


def test_titles_fit_their_plots() -> None:
    titles = [plot.title for measures in MEASURES.values() for plot in measures.plots]
    assert not [title for title in titles if len(title) > TITLE_CHARACTERS]


def test_more_rows_more_ink() -> None:
    bars = Bars("kinds", pl.col("kind"), ("a", "b"))

    def ink(picture: Image.Image) -> int:
        return sum(count for count, (red, _, blue) in picture.getcolors(1 << 20) if red < 60 and blue > 120)

    one, two = (opened(drawn(pl.DataFrame({"kind": ["a"] * 8 + ["b"] * count}), bars)) for count in (1, 8))
    assert ink(two) > 1.5 * ink(one)


def test_nothing_to_show_is_no_picture() -> None:
    assert drawn(pl.DataFrame({"kind": []}, schema={"kind": pl.String}), Bars("kinds", pl.col("kind"))) == b""
    assert drawn(pl.DataFrame({"n": [None]}, schema={"n": pl.Int64}), Histogram("lengths", pl.col("n"))) == b""


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=12), st.integers(1, 10**12))
def test_no_name_and_no_length_breaks_the_picture(names: list[str], longest: int) -> None:
    rows = pl.DataFrame({"kind": [*names, r"$\frac{1}$", "$x^"], "n": [longest] * (len(names) + 2)})
    assert opened(drawn(rows, Bars("kinds", pl.col("kind")), Histogram("lengths", pl.col("n"))))
