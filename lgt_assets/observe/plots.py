"""A table's plots in one small picture, readable on Dagit's light and dark ground: it brings its own."""

from lgt_assets.charts import BarPanel, HistogramPanel, Panel, draw_panels
from lgt_assets.observe.tallies import Bars, Plot, Tally


def draw_plots(tally: Tally) -> bytes:
    """PNG of all plots of the tally that have rows to show; empty where there are none."""
    return draw_panels([_panel(tally, plot) for plot in tally.measures.plots])


def _panel(tally: Tally, plot: Plot) -> Panel:
    if isinstance(plot, Bars):
        counts = tally.bars(plot)
        return BarPanel(plot.title, [name for name, _ in counts], {"": [count for _, count in counts]})
    return HistogramPanel(plot.title, tally.histogram(plot), plot.is_share, plot.lowest)
