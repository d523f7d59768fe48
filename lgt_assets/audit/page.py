"""The audit page: one file that needs nothing else, works from a folder, and runs no script but its own."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from lgt_assets.audit.items import Item
from lgt_assets.identity import digest
from lgt_assets.pictures import data_address, picture_of
from lgt_assets.row_model import ERROR_KINDS

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
    script, style = (Markup((_FOLDER / name).read_text(encoding="utf-8")) for name in ("page.js", "page.css"))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((_FOLDER / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        items=[(item, picture_data(item.image)) for item in items], table=table, seed=seed, population=population,
        sample=sample_key(table, seed, [item.row_id for item in items]), kinds=ERROR_KINDS, script=script, style=style,
        policy=f"default-src 'none'; img-src data:; script-src {_source(script)}; style-src {_source(style)}",
    )  # fmt: skip


def sample_key(table: str, seed: int, row_ids: list[str]) -> str:
    """Id of a sample: verdicts of another sample are never mixed with it in the browser."""
    return digest("audit", table, seed, row_ids)[:16]


def picture_data(image: dict) -> str:
    """The picture as a data: address, at most 512 pixels wide and high, in the orientation that its boxes are given in.

    Raises:
        SourceError: it cannot be read.
    """
    return data_address(picture_of(image, longest_side=LONGEST_SIDE))


def _source(text: str) -> str:
    """A content security policy's name for an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
