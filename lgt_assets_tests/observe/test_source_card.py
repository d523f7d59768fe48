"""The card in Dagit: what the source wrote stays text."""

from collections import Counter

from lgt_assets.observe.source_card import MOST_LINES, card_lines, card_markdown, card_observation
from lgt_assets.sources.card import SourceCard

HOSTILE = "CC0 | [click](http://evil.example) <img src=x> \x1b[2J"


def made_card() -> SourceCard:
    card = SourceCard("mine", "manifest", shards=2, pictures=10, boxes=7, pictures_with_boxes=5, covered=0.42)
    card.licenses = Counter({HOSTILE: 9, "unknown": 1})
    card.caption_words = Counter({"5 to 9": 10})
    card.refused = Counter({f"reason_{n}": 1 for n in range(MOST_LINES + 3)})
    return card


def test_the_card_says_everything_and_nothing_in_it_is_markup() -> None:
    markdown = card_markdown(made_card())
    assert "[click]" not in markdown and "<img" not in markdown and "\x1b" not in markdown
    assert all(line.count("|") == 5 for line in markdown.splitlines())
    assert "| licence |" in markdown and "90.0%" in markdown and "| 3 others | 3 |" in markdown


def test_the_observation_is_of_images_and_has_no_data_version() -> None:
    observation = card_observation(made_card())
    assert observation.asset_key.to_user_string() == "images" and not observation.tags
    assert observation.metadata["mine/pictures"].value == 10 and observation.metadata["mine/refused rows"].value == 15


def test_an_empty_source_has_a_card() -> None:
    assert card_lines(SourceCard("none", "scenes"))[0] == ("none", "scenes, 0 shards: pictures", "0", "")
