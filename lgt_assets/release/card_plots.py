"""The plots of a card: small pictures, the same bytes for the same facts."""

from collections.abc import Iterable, Mapping, Sequence

from lgt_assets.charts import BarPanel, HistogramPanel, Panel, draw_panels
from lgt_assets.release.card_yaml import by_config
from lgt_assets.release.writing import Written
from lgt_assets.row_model import DIFFICULTIES

SIZE = (6.4, 2.5)  # inches
FOLDER = "card"
# What each shows, for those who cannot see it.
WORDS = {
    "rows": "Rows of each config, by split",
    "funnel": "Rows kept and rejected of each table that was asked for",
    "question_types": "Questions of each type, by the number of questions it takes to answer them",
    "trace_lengths": "Characters of the assistant's turn, by recipe",
    "pass_rates": "Pass rates of the VLM on RL prompts, by stage",
    "difficulties": "RL prompts of each difficulty, by stage",
}


def path_of(name: str) -> str:
    """Where a plot lies in an export."""
    return f"{FOLDER}/{name}.png"


def card_panels(facts: Mapping, written: Sequence[Written]) -> dict[str, Panel]:
    """The plots that have something to show, by name."""
    found = facts["statistics"]
    sizes = [(one.config, one.split, one.rows) for splits in by_config(written).values() for one in splits]
    types = [(row["question_type"], f"{row['hops']} hop{'s' if row['hops'] > 1 else ''}", row["questions"])
             for row in found["question_types"]]  # fmt: skip
    kept = [(row["table"], word, row[key]) for row in facts["funnel"] if row["asked"]
            for word, key in (("kept", "accepted"), ("rejected", "rejected"))]  # fmt: skip
    hard = [(row["difficulty"], f"stage {row['stage']}", row["prompts"]) for row in found["difficulties"]]
    ranked = list(dict.fromkeys(row["question_type"] for row in found["question_types"]))
    panels = {
        "rows": _bars(WORDS["rows"], sizes),
        "funnel": _bars("Rows kept and rejected", kept),
        "question_types": _bars("Question types, by hops", sorted(types, key=lambda row: row[1]), ranked),
        "trace_lengths": HistogramPanel(
            "Characters of the assistant's turn", {name: _bins(bins) for name, bins in found["trace_lengths"].items()}
        ),
        "pass_rates": HistogramPanel(
            "Pass rate of the VLM on RL prompts",
            {f"stage {stage}": _bins(bins) for stage, bins in found["pass_rates"].items()}, is_share=True,
        ),
        "difficulties": _bars("Difficulty of RL prompts", hard, DIFFICULTIES),
    }  # fmt: skip
    return {name: panel for name, panel in panels.items() if not panel.is_empty()}


def card_plots(facts: Mapping, written: Sequence[Written]) -> dict[str, bytes]:
    """PNG files by path, each below 60 kB."""
    return {path_of(name): draw_panels([panel], size=SIZE) for name, panel in card_panels(facts, written).items()}


def release_picture(facts: Mapping, written: Sequence[Written]) -> bytes:
    """All plots in one picture; empty without any."""
    return draw_panels(list(card_panels(facts, written).values()), columns=2, size=(4.6, 2.1))


def _bars(title: str, counted: Iterable[tuple[str, str, int]], order: Sequence[str] = ()) -> BarPanel:
    """Bars of (bar, series, rows), as ordered; those without rows are left out."""
    rows = [row for row in counted if row[2]]
    bars, series = (list(dict.fromkeys(row[place] for row in rows)) for place in (0, 1))
    bars.sort(key=lambda bar: order.index(bar) if bar in order else len(order))
    sums: dict[tuple[str, str], int] = {}
    for bar, one, number in rows:
        sums[bar, one] = sums.get((bar, one), 0) + number
    return BarPanel(title, bars, {one: [sums.get((bar, one), 0) for bar in bars] for one in series})


def _bins(bins: Iterable[Sequence[float]]) -> list[tuple[float, float, int]]:
    return [(low, high, int(number)) for low, high, number in bins]
