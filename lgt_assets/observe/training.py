"""What Dagit shows of a training run: its objective before and after, its log as plots, and what it took."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from lgt_assets.charts import png_address
from lgt_assets.markdown import image_of, table_of
from lgt_assets.training.run_plots import run_picture


def training_metadata(record: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Metadata of a run.

    Args:
        record: what :func:`lgt_assets.training.training_runs.run` returned.
        changes: rows of :class:`lgt_assets.training.objectives.Change`.
    """
    lines = [
        [
            change["objective"], f"{change['before']:.3f}", f"{change['after']:.3f}",
            f"{change['difference']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f})", str(change["rows"]),
        ]
        for change in changes
    ]  # fmt: skip
    headings = ["objective", "before", "after", "difference (95 % interval)", "rows"]
    picture = image_of(png_address(run_picture(record["trainer"], record["history"])), "the run's log by step")
    first = {f"objective/{when}": float(changes[0][when]) for when in ("before", "after") if changes}
    return first | {
        "objective": dg.MetadataValue.md(table_of(headings, lines, right=(1, 2, 3, 4))),
        "plots": dg.MetadataValue.md(picture),
        "changes": dg.MetadataValue.json(list(changes)),
        "settings": dg.MetadataValue.json({name: record[name] for name in record if name != "history"}),
        **{name: record[name] for name in ("release", "tokens", "seconds", "cpu_seconds", "operations", "rows", "resumed_at")},
    }  # fmt: skip
