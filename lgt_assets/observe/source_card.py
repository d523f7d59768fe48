"""A source's card as Dagit shows it: an observation of `images`, written whenever something was added."""

from collections import Counter

import dagster as dg

from lgt_assets.markdown import plain_text, table_of
from lgt_assets.sources.card import SourceCard, word_classes

MOST_LINES = 12
_CHARACTERS = 60


def card_observation(card: SourceCard) -> dg.AssetObservation:
    """The card as markdown, and its numbers to plot."""
    numbers = {
        f"{card.name}/pictures": card.pictures, f"{card.name}/refused rows": card.refused.total(),
        f"{card.name}/boxes": card.boxes, f"{card.name}/mean caption words": round(card.mean_words, 2),
    }  # fmt: skip
    return dg.AssetObservation(
        asset_key="images",
        description=f"source {card.name}: {card.pictures} pictures, {card.refused.total()} refused rows",
        metadata={"source card": dg.MetadataValue.md(card_markdown(card)), **numbers},
    )


def card_markdown(card: SourceCard) -> str:
    """The card as tables. What the source wrote, such as licences, is escaped."""
    said = [
        [plain_text(title, _CHARACTERS), plain_text(text, _CHARACTERS), *rest]
        for title, text, *rest in card_lines(card)
    ]
    return table_of(["", "", "number", "share"], said, right=(2, 3))


def card_lines(card: SourceCard) -> list[tuple[str, str, str, str]]:
    """The same as plain text: heading, what is counted, number, share."""
    return [(title, text, f"{count:,}", _share(count, of)) for title, text, count, of in _rows(card)]


def _rows(card: SourceCard) -> list[tuple[str, str, int, int]]:
    """Heading, what is counted, number, and what it is a share of (0: of nothing)."""
    pictures = card.pictures
    rows = [
        (card.name, f"{card.kind}, {card.shards} shards: pictures", pictures, 0),
        ("", "of which not opened yet", card.unopened, pictures),
        *_counted("licence", card.licenses, pictures),
        *_counted("caption by", card.caption_sources, pictures),
        *(
            ("words of a caption" if number == 0 else "", name, card.caption_words[name], pictures)
            for number, name in enumerate(name for name in word_classes() if card.caption_words[name])
        ),
        ("boxes", "pictures with boxes", card.pictures_with_boxes, pictures),
        ("", "boxes", card.boxes, 0),
        ("", "percent of a picture inside its boxes, on average", round(100 * card.covered), 0),
        *_counted("boxes by", card.box_sources, card.pictures_with_boxes),
        ("duplicates", "look like an earlier picture (of those hashed so far)", card.duplicates, card.hashed),
        *_counted("refused rows", card.refused, pictures + card.refused.total()),
    ]
    return [row for row in rows if row[2] or row[0] in (card.name, "boxes", "duplicates")]


def _counted(title: str, counter: Counter[str], of: int) -> list[tuple[str, str, int, int]]:
    common = counter.most_common()
    rows = [("" if number else title, text, count, of) for number, (text, count) in enumerate(common[:MOST_LINES])]
    rest = sum(count for _, count in common[MOST_LINES:])
    return rows + ([("", f"{len(common) - MOST_LINES} others", rest, of)] if rest else [])


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else ""
