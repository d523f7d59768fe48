"""Figures that a state folder's tables tell."""

from lgt_assets.costs import Rates
from lgt_assets.planning.figures import Figure
from lgt_assets.storage import DeltaStore
from lgt_assets.table_stats import table_stats

LEAST_ROWS = 50  # of fewer, files' heads outweigh rows


def measured_bytes(store: DeltaStore) -> dict[str, Figure]:
    """Bytes a row, by table, of the latest versions."""
    return {
        stats.table: Figure(stats.bytes / stats.rows, "measured", f"{stats.rows:,} rows here")
        for stats in table_stats(store)
        if stats.rows >= LEAST_ROWS
    }


def measured_yields(store: DeltaStore, rates: Rates, models: dict[str, str]) -> dict[str, Figure]:
    """Shares and ratios as they came out here, where the questions are by the planned profile's own models.

    Args:
        store: the tables.
        rates: recorded of them.
        models: names under which completions are recorded, by role.
    """
    counts = {table: stats.rows for stats in table_stats(store) for table in [stats.table]}
    found: dict[str, Figure] = {}
    asked = rates.requests.get(("composed_questions", "composer"), 0)
    composed = counts.get("composed_questions", 0)
    if composed and ("composed_questions", "composer", models.get("composer", "")) in rates.by_role:
        found["accepted_composed_questions"] = Figure(
            min(1.0, composed / asked), "measured", f"{composed:,} of {asked:,} requests here"
        )
    asked, seeds = rates.requests.get(("seed_questions", "questioner"), 0), counts.get("seed_questions", 0)
    if seeds and ("seed_questions", "questioner", models.get("questioner", "")) in rates.by_role:
        rejected = store.scan("rejections").collect().filter(asset="seed_questions").height
        candidates = seeds + rejected
        found["candidates_per_questioner_request"] = Figure(
            candidates / asked, "measured", f"{candidates:,} accepted and rejected of {asked:,} requests here"
        )
        found["accepted_seed_questions"] = Figure(seeds / candidates, "measured", f"{seeds:,} of {candidates:,} here")
    pictures, objects = counts.get("images", 0), counts.get("grounded_objects", 0)
    if pictures and objects:
        found["objects_per_picture"] = Figure(
            objects / pictures, "measured", f"{objects:,} boxes of {pictures:,} pictures here"
        )
    return found
