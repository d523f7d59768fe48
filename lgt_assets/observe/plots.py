"""A table's plots in one small picture, readable on Dagit's light and dark ground: it brings its own."""

import base64
import io
import math
import warnings
from typing import TYPE_CHECKING

from PIL import Image

from lgt_assets.observe.tallies import Bars, Histogram, Plot, Tally
from lgt_assets.pictures import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MOST_BARS = 8
MOST_TICKS = 5
LABEL_CHARACTERS = 22
PANEL = (3.1, 1.95)  # inches, across and down
MARGINS = {Bars: (1.3, 0.2), Histogram: (0.5, 0.15)}  # of the axes in it, left and right
ABOVE, BELOW = 0.35, 0.3
DOTS_PER_INCH = 100
GROUND, INK, FAINT = "#ffffff", "#222222", "#d8d8d8"
FILLS = (COLOURS[6], COLOURS[0], COLOURS[3])
PALETTE = 64


def draw_plots(tally: Tally) -> bytes:
    """PNG of all plots of the tally that have rows to show; empty where there are none.

    Text that a model wrote is drawn as it is: no markup of matplotlib's is read in it.
    """
    shown = [plot for plot in tally.measures.plots if _has_rows(tally, plot)]
    if not shown:
        return b""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(shown))
    lines = math.ceil(len(shown) / columns)
    size = (PANEL[0] * columns, PANEL[1] * lines)
    with rc_context({"text.parse_math": False, "font.size": 8, "axes.titlesize": 8.5, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=GROUND)
        for place, plot in enumerate(shown):
            line, column = divmod(place, columns)
            left, right = MARGINS[type(plot)]
            # placed by hand: matplotlib's own layout draws everything twice or more
            x, y = PANEL[0] * column + left, size[1] - PANEL[1] * (line + 1) + BELOW
            width, height = PANEL[0] - left - right, PANEL[1] - ABOVE - BELOW
            axes = figure.add_axes((x / size[0], y / size[1], width / size[0], height / size[1]))
            title = ((PANEL[0] * column + 0.1) / size[0], (y + height + 0.08) / size[1])
            figure.text(*title, plot.title, color=INK, fontsize=8.5, weight="bold")
            axes.tick_params(colors=INK, length=2)
            axes.spines[["top", "right"]].set_visible(False)
            if isinstance(plot, Bars):
                _draw_bars(axes, tally.bars(plot))
            else:
                _draw_histogram(axes, plot, tally.histogram(plot))
        canvas = FigureCanvasAgg(figure)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # a model writes in any script; a box stands for it
            canvas.draw()
        pixels = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
    buffer = io.BytesIO()
    flat = pixels.convert("RGB").quantize(PALETTE, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    flat.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def png_address(content: bytes) -> str:
    """A PNG as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _has_rows(tally: Tally, plot: Plot) -> bool:
    return bool(tally.bars(plot) if isinstance(plot, Bars) else tally.histogram(plot))


def _draw_bars(axes: "Axes", counts: list[tuple[str, int]]) -> None:
    """Horizontal bars, the first on top, with the number of rows at each; what is too much is one bar."""
    if len(counts) > MOST_BARS:
        rest = counts[MOST_BARS - 1 :]
        counts = [*counts[: MOST_BARS - 1], (f"{len(rest)} others", sum(count for _, count in rest))]
    places, total = range(len(counts)), sum(count for _, count in counts)
    bars = axes.barh(places, [count for _, count in counts], color=FILLS[0], height=0.7)
    axes.bar_label(bars, [f"{count:,} ({count / total:.0%})" for _, count in counts], padding=2, color=INK, fontsize=7)
    axes.set_yticks(places, [_short(name) for name, _ in counts], fontsize=7)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(0, 1.6 * max(count for _, count in counts) or 1)
    axes.set_ylim(max(len(counts), 3) - 0.4, -0.6)


def _draw_histogram(axes: "Axes", plot: Histogram, found: dict[str, list[tuple[float, float, int]]]) -> None:
    """Rows upwards; series stand on one another, so that the outline is that of all rows."""
    floors: dict[float, int] = {}
    for place, (name, bins) in enumerate(found.items()):
        for low, high, count in bins:
            bar = axes.bar(low, count, high - low, floors.get(low, 0), align="edge", color=FILLS[place % len(FILLS)])
            bar.set_label(name if low == bins[0][0] else None)
            floors[low] = floors.get(low, 0) + count
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if plot.is_share:
        axes.set_xlim(plot.lowest, 1)
    else:
        edges = sorted({edge for bins in found.values() for low, high, _ in bins for edge in (low, high)})
        axes.set_xscale("log", base=2)
        axes.set_xlim(edges[0], edges[-1])
        ticks = edges[:: max(1, math.ceil((len(edges) - 1) / MOST_TICKS))]
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        axes.minorticks_off()
    if len(found) > 1:
        axes.set_ylim(top=1.35 * max(floors.values()))
        axes.legend(frameon=False, fontsize=7, handlelength=1, labelcolor=INK, ncols=len(found), loc="upper right")


def _short(name: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in name)
    return line if len(line) <= LABEL_CHARACTERS else line[: LABEL_CHARACTERS - 1] + "…"
