"""All that Dagit is told of one shard of one asset: numbers, funnel, plots and a preview, within a fixed size."""

from collections import Counter
from collections.abc import Iterable, Mapping

import dagster as dg
import polars as pl

from lgt_assets.charts import png_address
from lgt_assets.markdown import image_of
from lgt_assets.observe.funnel import funnel_metadata
from lgt_assets.observe.measures import MEASURES
from lgt_assets.observe.plots import draw_plots
from lgt_assets.observe.preview import render_preview, stored_bytes
from lgt_assets.observe.shown_rows import Find, choose_rows, shown_pictures
from lgt_assets.observe.tallies import Tally

# Their sum, with some 10 kB of numbers and funnel, is what one materialization may have: 200 kB.
PREVIEW_BYTES = 110_000
PLOT_BYTES = 60_000
_NOT_TOLD = ("shard", "ordinal", "asset", "accepted")


def shard_metadata(
    table: str, *, funnel: Mapping, reasons: Iterable[str], delta_version: int, batches: Iterable[pl.DataFrame], find: Find,
) -> dict[str, object]:  # fmt: skip
    """Metadata of one shard's materialization, without its row count, which is the gate's; memory does not grow with its rows.

    Args:
        table: the asset.
        funnel: its row of the table ``funnel``.
        reasons: that of each rejected row.
        delta_version: of the table, as the shard was written.
        batches: the shard's rows in order, some at a time.
        find: looks up rows of the tables that the shown rows point to.
    """
    tally, first = Tally(MEASURES[table]), None
    for rows in batches:
        first = rows if first is None else first
        tally.add(rows)
    told = {name: value for name, value in funnel.items() if name not in _NOT_TOLD}
    counts = {name: round(value, 2) if isinstance(value, float) else value for name, value in told.items()}
    metadata = counts | {"delta/version": delta_version}
    metadata |= funnel_metadata(funnel, Counter(reasons)) | tally.means()
    if first is None or first.is_empty():
        return metadata
    plots = image_of(png_address(draw_plots(tally)), "plots")
    if stored_bytes(plots) > PLOT_BYTES:
        plots = "The plots are too large to be shown here."
    preview = render_preview(shown_pictures(table, choose_rows(first), find), PREVIEW_BYTES)
    return metadata | {"plots": dg.MetadataValue.md(plots), "preview": dg.MetadataValue.md(preview)}
