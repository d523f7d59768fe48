"""Charts are one small picture, the same bytes for the same numbers, whatever texts they are labelled with."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lgt_assets.charts import (
    DOTS_PER_INCH,
    MOST_BARS,
    PANEL,
    BarPanel,
    HistogramPanel,
    IntervalPanel,
    LinePanel,
    Panel,
    draw_panels,
)

PANELS: tuple[Panel, ...] = (
    BarPanel("one series", ["a", "b"], {"": [3, 1]}),
    BarPanel("two series", ["a", "b"], {"train": [3, 0], "validation": [1, 2]}),
    HistogramPanel("lengths", {"long": [(1.0, 2.0, 3), (2.0, 4.0, 1)]}),
    LinePanel("lines", {"x": [0.5, 0.25, 0.125], "y": [0.1]}),
    HistogramPanel("shares", {"x": [(0.0, 0.1, 3)], "y": [(0.9, 1.0, 4)]}, is_share=True),
    IntervalPanel("intervals", {"a": [(0.2, 0.1, 0.4), (0.3, 0.2, 0.5)], "b": [(0.9, 0.8, 1.0)]}),
)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_the_same_numbers_give_the_same_bytes(panel: Panel) -> None:
    png = draw_panels([panel])
    assert png == draw_panels([panel]) and 0 < len(png) < 20_000
    assert not Image.open(io.BytesIO(png)).info


def test_panels_that_are_empty_take_no_room() -> None:
    empty = BarPanel("none", [], {})
    assert draw_panels([empty, HistogramPanel("none", {}), IntervalPanel("none", {})]) == b""
    assert draw_panels([empty, PANELS[0]]) == draw_panels([PANELS[0]])


def test_columns_and_size_are_as_wanted() -> None:
    assert opened(draw_panels(PANELS[:4], columns=2)).size == (
        round(2 * PANEL[0] * DOTS_PER_INCH), round(2 * PANEL[1] * DOTS_PER_INCH),
    )  # fmt: skip
    assert opened(draw_panels(PANELS[:1], size=(6.4, 2.5))).size == (640, 250)


def test_each_series_has_a_colour_that_grows_with_its_rows() -> None:
    def coloured(second: int) -> dict:
        panel = BarPanel("", ["a"], {"x": [10], "y": [second]})
        return dict((colour, count) for count, colour in opened(draw_panels([panel])).getcolors(1 << 20))

    few, many = coloured(2), coloured(10)
    blue, orange = (0, 114, 178), (230, 159, 0)
    assert many[orange] > 2 * few[orange] and many[blue] < few[blue]
    assert abs(many[blue] - many[orange]) < 0.1 * many[blue]  # side by side, none over the other


def test_too_many_bars_are_one_bar_and_nothing_is_lost() -> None:
    many = BarPanel("", [f"bar {n}" for n in range(50)], {"x": [1] * 50, "y": [2] * 50})
    folded = BarPanel(
        "", [*(f"bar {n}" for n in range(MOST_BARS - 1)), f"{50 - MOST_BARS + 1} others"],
        {"x": [1] * (MOST_BARS - 1) + [50 - MOST_BARS + 1], "y": [2] * (MOST_BARS - 1) + [2 * (50 - MOST_BARS + 1)]},
    )  # fmt: skip
    assert draw_panels([many]) == draw_panels([folded])


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_any_label_is_drawn(bar: str, series: str) -> None:
    assert draw_panels([BarPanel("t", [bar], {series: [1], series + "2": [0]})])
