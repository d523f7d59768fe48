"""Reasons for rows of tables in which some came from completions and others with their source."""

import polars as pl

from lgt_assets.differences.reasons import KEY, Surroundings, reasons
from lgt_assets.identity import digest
from lgt_assets_tests.made_tables import generation_row

ASKED = ("request_key", "role", "model", "revision", "template_hash", "sampling")


def surroundings(*models: str) -> Surroundings:
    """A side that asked each of ``models`` once."""
    rows = [
        generation_row("grounded_objects", digest(model), "[]") | {"role": "detector", "model": model}
        for model in models
    ]
    rejections = pl.DataFrame(schema={"request_key": pl.String, "reason": pl.String})
    return Surroundings(rejections, pl.DataFrame(rows).select(ASKED))


def test_a_found_box_is_laid_to_its_detector_and_a_given_one_to_nobody() -> None:
    rows = pl.DataFrame({KEY: ["found", "given"], "request_key": [digest("new"), None]})
    told = reasons(rows, surroundings("new"), surroundings("old"), came=True, parents={})
    assert dict(told.iter_rows()) == {"found": "model changed", "given": "read or drawn otherwise"}
