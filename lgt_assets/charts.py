"""Charts in one small picture, on a ground of its own: what Dagit shows of a table, and what a dataset card shows of a release.

The same panels give the same bytes wherever matplotlib, Pillow and their fonts are the same: no date or version is written.
"""

import base64
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from lgt_assets.pictures import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MOST_BARS = 8
MOST_TICKS = 5
LABEL_CHARACTERS = 22
PANEL = (3.1, 1.95)  # inches, across and down
ABOVE, BELOW = 0.35, 0.3
DOTS_PER_INCH = 100
GROUND, INK, FAINT = "#ffffff", "#222222", "#d8d8d8"
FILLS = (COLOURS[6], COLOURS[0], COLOURS[3], COLOURS[5], COLOURS[1])
PALETTE = 64


@dataclass(frozen=True)
class BarPanel:
    """Horizontal bars, the first on top: ``counts`` by bar and series; the parts of a bar stand side by side.

    A single series is written with each bar's share of all.
    """

    title: str
    bars: Sequence[str]
    counts: Mapping[str, Sequence[int]]
    margins = (1.3, 0.2)  # inches, left and right of the axes

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars


@dataclass(frozen=True)
class HistogramPanel:
    """Bins (lower edge, upper edge, rows) by series, stacked; shares from ``lowest`` to 1, else lengths in doublings."""

    title: str
    series: Mapping[str, Sequence[tuple[float, float, int]]]
    is_share: bool = False
    lowest: float = 0.0
    margins = (0.5, 0.15)

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.series


@dataclass(frozen=True)
class IntervalPanel:
    """Shares in [0, 1] with their intervals, (value, low, high), by name, the first on top; several of one name side by side."""

    title: str
    shares: Mapping[str, Sequence[tuple[float, float, float]]]
    margins = (1.3, 0.2)

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(self.shares.values())


@dataclass(frozen=True)
class LinePanel:
    """Values by series, one for each step from 1 on."""

    title: str
    series: Mapping[str, Sequence[float]]
    margins = (0.5, 0.15)

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(self.series.values())


Panel = BarPanel | HistogramPanel | IntervalPanel | LinePanel


def draw_panels(panels: Sequence[Panel], *, columns: int = COLUMNS, size: tuple[float, float] = PANEL) -> bytes:
    """PNG of the panels that are not empty; empty where there are none.

    Text that a model wrote is drawn as it is: no markup of matplotlib's is read in it.

    Args:
        panels: what to draw, line by line.
        columns: panels in a line, at most.
        size: of a panel, inches across and down; 100 dots each.
    """
    shown = [panel for panel in panels if not panel.is_empty()]
    if not shown:
        return b""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(columns, len(shown))
    whole = (size[0] * columns, size[1] * math.ceil(len(shown) / columns))
    with rc_context({"text.parse_math": False, "font.size": 8, "axes.titlesize": 8.5, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=whole, dpi=DOTS_PER_INCH, facecolor=GROUND)
        for place, panel in enumerate(shown):
            line, column = divmod(place, columns)
            left, right = panel.margins
            # placed by hand: matplotlib's own layout draws everything twice or more
            x, y = size[0] * column + left, whole[1] - size[1] * (line + 1) + BELOW
            width, height = size[0] - left - right, size[1] - ABOVE - BELOW
            axes = figure.add_axes((x / whole[0], y / whole[1], width / whole[0], height / whole[1]))
            title = ((size[0] * column + 0.1) / whole[0], (y + height + 0.08) / whole[1])
            figure.text(*title, panel.title, color=INK, fontsize=8.5, weight="bold")
            axes.tick_params(colors=INK, length=2)
            axes.spines[["top", "right"]].set_visible(False)
            if isinstance(panel, BarPanel):
                _draw_bars(axes, panel)
            elif isinstance(panel, IntervalPanel):
                _draw_intervals(axes, panel)
            elif isinstance(panel, LinePanel):
                _draw_lines(axes, panel)
            else:
                _draw_histogram(axes, panel)
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


def _draw_bars(axes: "Axes", panel: BarPanel) -> None:
    """Bars with the number of rows at each; what is too much is one bar."""
    names, counts = list(panel.bars), {name: list(own) for name, own in panel.counts.items()}
    if len(names) > MOST_BARS:
        cut = MOST_BARS - 1
        names = [*names[:cut], f"{len(names) - cut} others"]
        counts = {name: [*own[:cut], sum(own[cut:])] for name, own in counts.items()}
    places, ends = range(len(names)), [0] * len(names)
    for place, (name, own) in enumerate(counts.items()):
        axes.barh(places, own, left=ends, color=FILLS[place % len(FILLS)], height=0.7, label=_short(name))
        ends = [end + count for end, count in zip(ends, own, strict=True)]
    total = sum(ends)
    written = [f"{end:,} ({end / total:.0%})" if len(counts) == 1 and total else f"{end:,}" for end in ends]
    for place, text in zip(places, written, strict=True):
        axes.annotate(
            text, (ends[place], place), (2, 0), textcoords="offset points", va="center", color=INK, fontsize=7
        )
    axes.set_yticks(places, [_short(name) for name in names], fontsize=7)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(0, 1.6 * max(ends) or 1)
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)
    if len(counts) > 1:
        axes.legend(**_LEGEND, loc="lower right")


def _draw_histogram(axes: "Axes", panel: HistogramPanel) -> None:
    """Rows upwards; series stand on one another, so that the outline is that of all rows."""
    floors: dict[float, int] = {}
    for place, (name, bins) in enumerate(panel.series.items()):
        for low, high, count in bins:
            bar = axes.bar(low, count, high - low, floors.get(low, 0), align="edge", color=FILLS[place % len(FILLS)])
            bar.set_label(name if low == bins[0][0] else None)
            floors[low] = floors.get(low, 0) + count
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if panel.is_share:
        axes.set_xlim(panel.lowest, 1)
    else:
        edges = sorted({edge for bins in panel.series.values() for low, high, _ in bins for edge in (low, high)})
        axes.set_xscale("log", base=2)
        axes.set_xlim(edges[0], edges[-1])
        ticks = edges[:: max(1, math.ceil((len(edges) - 1) / MOST_TICKS))]
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        axes.minorticks_off()
    if len(panel.series) > 1:
        axes.set_ylim(top=1.35 * max(floors.values()))
        axes.legend(**_LEGEND, ncols=len(panel.series), loc="upper right")


def _draw_intervals(axes: "Axes", panel: IntervalPanel) -> None:
    """A dot with a line for each share."""
    for place, own in enumerate(panel.shares.values()):
        for number, (value, low, high) in enumerate(own):
            height = place + 0.22 * (number - (len(own) - 1) / 2)
            axes.plot([low, high], [height, height], color=FILLS[place % len(FILLS)], linewidth=1)
            axes.plot([value], [height], "o", color=FILLS[place % len(FILLS)], markersize=2.5)
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(panel.shares)), [_short(name) for name in panel.shares], fontsize=7)
    axes.set_ylim(max(len(panel.shares), 3) - 0.4, -0.6)
    axes.set_xlim(0, 1)


def _draw_lines(axes: "Axes", panel: LinePanel) -> None:
    """Steps to the right, values upwards."""
    for place, (name, values) in enumerate(panel.series.items()):
        axes.plot(range(1, len(values) + 1), values, color=FILLS[place % len(FILLS)], linewidth=1, label=_short(name))
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=MOST_TICKS)
    axes.yaxis.get_major_locator().set_params(nbins=4)
    if len(panel.series) > 1:
        axes.legend(**_LEGEND, loc="best")


_LEGEND = {"frameon": False, "fontsize": 7, "handlelength": 1, "labelcolor": INK}


def _short(name: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in name)
    return line if len(line) <= LABEL_CHARACTERS else line[: LABEL_CHARACTERS - 1] + "…"
