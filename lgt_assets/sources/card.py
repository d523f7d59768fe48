"""A source at a glance, from its shard files alone: nothing has to be made first, and no picture is opened."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lgt_assets.errors import NotFoundError
from lgt_assets.sources.shard_files import read_shard, recorded_kind, shard_names

# Different texts that are counted by themselves: a file may name a licence of its own for every picture.
MOST_COUNTED = 200
OTHERS = "(others)"
# Upper bounds of words in a caption; the last class has no end.
WORD_CLASSES = (5, 10, 20, 40, 80, 160)


@dataclass
class SourceCard:
    """What a source holds, in numbers.

    Attributes:
        unopened: pictures whose row declares sha256 and size; they are opened when their shard is made.
        licenses, caption_sources, box_sources: pictures by what the source says.
        caption_words: pictures by words of their caption: below 5, 5 to 9, ...
        boxes: labelled boxes; ``pictures_with_boxes`` have at least one.
        covered: mean share of a picture that its boxes cover; where they overlap, areas add up to 1 at most.
        refused: bad rows by reason.
        duplicates: pictures whose perceptual hash an earlier picture of the source has, among ``hashed`` ones; hashes are taken
            when a shard's checks run.
    """

    name: str
    kind: str
    shards: int = 0
    pictures: int = 0
    unopened: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    caption_sources: Counter[str] = field(default_factory=Counter)
    box_sources: Counter[str] = field(default_factory=Counter)
    caption_words: Counter[str] = field(default_factory=Counter)
    words: int = 0
    boxes: int = 0
    pictures_with_boxes: int = 0
    covered: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    hashed: int = 0
    duplicates: int = 0

    @property
    def mean_words(self) -> float:
        """Words of a caption, on average."""
        return self.words / self.pictures if self.pictures else 0.0

    def as_json(self) -> dict:
        """All of it, as JSON takes it."""
        said = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}
        return said | {"mean_words": round(self.mean_words, 2), "covered": round(self.covered, 4)}


def source_card(state: Path, name: str, hashes: Mapping[str, int] | None = None) -> SourceCard:
    """Read a source's shards one at a time.

    Args:
        state: the state folder.
        name: the source.
        hashes: how many pictures of it have each perceptual hash, where that is known.

    Raises:
        NotFoundError: there is no such source.
        SourceError: a file was damaged.
    """
    shards, kind = shard_names(state, name), recorded_kind(state, name)
    if kind is None:
        raise NotFoundError(f"no source {name!r}; `lgt sources list` shows those there are")
    card = SourceCard(name, kind, len(shards))
    for shard in shards:
        content = read_shard(state, shard)
        for picture in content.pictures:
            record, words = picture.record, len((picture.record.caption or "").split())
            card.pictures += 1
            card.unopened += not picture.inspected
            card.words += words
            card.caption_words[word_class(words)] += 1
            _count(card.licenses, record.license)
            _count(card.caption_sources, record.caption_source)
            if record.boxes:
                area = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in record.boxes)
                card.covered += min(1.0, area / (picture.width * picture.height))
                card.boxes += len(record.boxes)
                card.pictures_with_boxes += 1
                _count(card.box_sources, record.box_source)
        for problem in content.problems:
            _count(card.refused, problem.reason)
    card.covered /= max(1, card.pictures)
    card.hashed = sum((hashes or {}).values())
    card.duplicates = card.hashed - len(hashes or {})
    return card


def word_class(words: int) -> str:
    """The class of a caption with so many words: ``below 5``, ``5 to 9``, …, ``160 and more``."""
    lower = 0
    for upper in WORD_CLASSES:
        if words < upper:
            return f"{lower} to {upper - 1}" if lower else f"below {upper}"
        lower = upper
    return f"{lower} and more"


def word_classes() -> list[str]:
    """All classes, in order."""
    return [word_class(words) for words in (0, *WORD_CLASSES)]


def _count(counter: Counter[str], text: str) -> None:
    counter[text if text in counter or len(counter) < MOST_COUNTED else OTHERS] += 1
