"""A source's card: what its shards hold, in numbers."""

from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.sources import add_source
from lgt_assets.sources.card import MOST_COUNTED, OTHERS, source_card, word_class, word_classes
from lgt_assets_tests.sources.pictures import HEIGHT, WIDTH, flat_picture, row, write_lines


def test_a_card_counts_all_shards(tmp_path: Path) -> None:
    for number in range(3):
        flat_picture(tmp_path / f"{number}.png", number)
    half = {"label": "ball", "box": [0, 0, WIDTH / 2, HEIGHT]}
    lines = [
        row("0.png", boxes=[half], caption="one two three four five"), row("1.png", boxes=[half, half, half], license="MIT"),
        row("2.png", boxes=[]), row("gone.png"), "{", "{",
    ]  # fmt: skip
    manifest = write_lines(tmp_path / "manifest.jsonl", lines)
    add_source(tmp_path / "state", "mine", "manifest", {"path": str(manifest)}, shard_size=1)
    card = source_card(tmp_path / "state", "mine", {"aa": 2, "bb": 1})
    assert (card.kind, card.shards, card.pictures, card.boxes, card.pictures_with_boxes) == ("manifest", 3, 3, 4, 2)
    assert card.covered == pytest.approx((0.5 + 1.0) / 3)
    assert dict(card.licenses) == {"CC0-1.0": 2, "MIT": 1} and dict(card.caption_words) == {"5 to 9": 3}
    assert dict(card.refused) == {"bad_json": 2, "missing_file": 1}
    assert (card.hashed, card.duplicates, round(card.mean_words, 2)) == (3, 1, 5.67)
    assert card.as_json()["refused"] == {"missing_file": 1, "bad_json": 2}


def test_a_licence_for_every_picture_does_not_grow_the_card(tmp_path: Path) -> None:
    lines = []
    for number in range(MOST_COUNTED + 10):
        flat_picture(tmp_path / f"{number}.png", number)
        lines.append(row(f"{number}.png", license=f"licence {number}"))
    manifest = write_lines(tmp_path / "manifest.jsonl", lines)
    add_source(tmp_path / "state", "mine", "manifest", {"path": str(manifest)})
    licenses = source_card(tmp_path / "state", "mine").licenses
    assert len(licenses) == MOST_COUNTED + 1 and licenses[OTHERS] == 10


def test_classes_of_words() -> None:
    assert [word_class(words) for words in (0, 4, 5, 159, 160, 9999)] == [
        "below 5", "below 5", "5 to 9", "80 to 159", "160 and more", "160 and more",
    ]  # fmt: skip
    assert len(set(word_classes())) == 7


def test_a_source_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="lgt sources list"):
        source_card(tmp_path, "nothing")
