"""The audit page: one file that needs nothing else, works from a folder, and runs no script but its own."""

from pathlib import Path

from lgt_assets.audit.items import Item
from lgt_assets.audit_vocabulary import ERROR_KINDS
from lgt_assets.identity import digest
from lgt_assets.pages.document import render
from lgt_assets.pictures import data_address, picture_of

LONGEST_SIDE = 512
_FOLDER = Path(__file__).parent


def render_page(items: list[Item], *, table: str, seed: int, population: int) -> str:
    """The page as HTML. All text is escaped; a content security policy lets nothing but the page's own script run.

    Args:
        items: rows to judge, in the order shown.
        table: their table.
        seed: what they were drawn with.
        population: rows that they were drawn from.

    Raises:
        SourceError: a picture is missing, changed or broken.
    """
    values = {
        "items": [(item, picture_data(item.image)) for item in items], "table": table, "seed": seed,
        "population": population, "sample": sample_key(table, seed, [item.row_id for item in items]), "kinds": ERROR_KINDS,
    }  # fmt: skip
    return render(_FOLDER / "page.html.jinja", style=_FOLDER / "page.css", script=_FOLDER / "page.js", values=values)


def sample_key(table: str, seed: int, row_ids: list[str]) -> str:
    """Id of a sample: verdicts of another sample are never mixed with it in the browser."""
    return digest("audit", table, seed, row_ids)[:16]


def picture_data(image: dict) -> str:
    """The picture as a data: address, at most 512 pixels wide and high, in the orientation that its boxes are given in.

    Raises:
        SourceError: it cannot be read.
    """
    return data_address(picture_of(image, longest_side=LONGEST_SIDE))
