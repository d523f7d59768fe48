"""The tour of Dagit: what is done with the mouse, step by step, and the pictures that docs/dagit.md shows of it, in its order."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from lgt_assets_tests.dagit_pages import launching, reading
from lgt_assets_tests.dagit_pages.view import View


@dataclass(frozen=True)
class Step:
    """One picture, its caption in docs/dagit.md, and the way to it; ``walk`` gets the page and the web server's address."""

    name: str
    caption: str
    walk: Callable[[Page, str], View]

    @property
    def file(self) -> str:
        """Name of the picture in docs/images."""
        return f"dagit-{self.name}.png"


STEPS = (
    Step(
        "graph",
        "The asset graph: tables, then models made of a release; arrows lead to what reads them",
        launching.open_graph,
    ),
    Step("dialog", "The launch dialog: one shard of seed_questions is chosen", launching.choose_shard),
    Step("run", "The run: its steps, its log, its end", launching.see_run_succeed),
    Step(
        "shard", "One shard's materialization: its funnel, and numbers that Dagit plots over time", reading.open_shard
    ),
    Step("preview", "The preview: pictures with the boxes that the rows speak of", reading.open_preview),
    Step("plots", "Plots of one shard's rows", reading.open_plots),
    Step("checks", "The checks of a table: blocking ones hold the gate, the others warn", reading.open_checks),
    Step("columns", "What each column is made from", reading.open_column_lineage),
    Step("backfill", "A backfill of the missing shards of two tables", launching.backfill_missing),
    Step("gate", "What a refused shard says", launching.see_gate_refuse),
    Step("lineage", "Everything that a table reads: complete, begun, refused", reading.open_lineage),
    Step(
        "automation",
        "Automation: new shards are registered; making what is missing waits to be switched on",
        reading.open_automation,
    ),
)
