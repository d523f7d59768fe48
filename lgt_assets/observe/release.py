"""All that Dagit is told of a release: what is in it and what is not, plots, pinned versions, and its card; within 200 kB."""

import dagster as dg

from lgt_assets.charts import png_address
from lgt_assets.markdown import image_of, plain_text, table_of
from lgt_assets.observe.preview import stored_bytes
from lgt_assets.release.card import CardFacts, card_body
from lgt_assets.release.card_content import rows_table
from lgt_assets.release.card_plots import release_picture

PLOT_BYTES = 60_000
CARD_BYTES = 100_000
MOST_EXCLUSIONS = 100
_CHARACTERS = 100


def release_metadata(card: CardFacts) -> dict[str, object]:
    """Metadata of a release's materialization.

    Args:
        card: what its card is written from.

    Returns:
        ``release_id``; ``rows/<config>/<split>`` and ``left_out`` as numbers, which Dagit plots over time; ``rows``,
        ``excluded``, ``pinned versions``, ``plots`` and ``card`` as markdown.
    """
    left_out = sum(row["rows"] for row in card.excluded)
    numbers = {f"rows/{one.config}/{one.split}": one.rows for one in card.written}
    return {"release_id": card.release_id, "left_out": left_out, **numbers} | {
        name: dg.MetadataValue.md(text)
        for name, text in {
            "rows": rows_table(card.written),
            "excluded": _excluded(card),
            "pinned versions": _pinned(card),
            "plots": _plots(card),
            "card": shown_card(card_body(card), CARD_BYTES),
        }.items()
    }


def shown_card(body: str, most_bytes: int) -> str:
    """A card's text for Dagit, which shows no HTML and has no files beside it: what is folded there lies open, pictures are gone.

    What does not fit is left out from the end on, whole sections, and a line says so.

    Args:
        body: markdown of a card, without its YAML header.
        most_bytes: of the result as Dagster stores it.
    """
    lines = [line for line in body.split("\n") if not _is_for_the_hub(line)]
    lines = [line.replace("<summary>", "**").replace("</summary>", "**") for line in lines]
    first, *sections = "\n".join(lines).split("\n\n## ")
    note = "\n\n*The rest of the card is in README.md of the release's folder.*"
    shown = first if stored_bytes(first + note) <= most_bytes else "The card is too large to be shown here."
    for section in sections:
        longer = f"{shown}\n\n## {section}"
        if stored_bytes(longer + note) > most_bytes:
            return shown + note
        shown = longer
    return shown


def _is_for_the_hub(line: str) -> bool:
    return line in ("<details>", "</details>") or line.startswith("![")


def _excluded(card: CardFacts) -> str:
    rows = [[f"`{row['table']}`", plain_text(row["reason"], _CHARACTERS), f"{row['rows']:,}"] for row in card.excluded]
    if not rows:
        return "Nothing."
    return table_of(["table", "reason", "rows"], rows[:MOST_EXCLUSIONS], right=(2,))


def _pinned(card: CardFacts) -> str:
    rows = [[f"`{table}`", str(version)] for table, version in sorted(card.inputs.items())]
    return table_of(["table", "version"], rows, right=(1,))


def _plots(card: CardFacts) -> str:
    png = release_picture(card.facts, card.written)
    shown = image_of(png_address(png), "plots") if png else "There is nothing to draw."
    return shown if stored_bytes(shown) <= PLOT_BYTES else "The plots are too large to be shown here."
