"""What a question is to be about: one box, a few, those in one part of the picture, or the whole scene.

Captions alone saturate: asked again, a writer asks again about what stands first in the caption. Each request turns to
other objects or another type, so more requests give other questions.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lgt_assets.identity import random_of
from lgt_assets.row_model import FOCUSES
from lgt_assets.settings import QuestionSettings
from lgt_assets.synthesis.facts import Facts

REGION = "region"
_TRIES = 12
_HALVES = ((0.0, 0.5, "left", "upper"), (0.5, 1.0, "right", "lower"))


@dataclass(frozen=True)
class Focus:
    """Objects in focus (none: the whole scene) and, for a region, the words for that part of the picture."""

    object_ids: tuple[str, ...]
    part: str | None = None

    @property
    def kind(self) -> str:
        """One of ``row_model.FOCUSES``."""
        if self.part is not None:
            return REGION
        one, two, several, _, scene = FOCUSES
        return (scene, one, two)[len(self.object_ids)] if len(self.object_ids) < 3 else several


def parts_of_picture() -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Words for each part with its x0, y0, x1, y1 as shares of width and height: halves, then quarters."""
    for low, high, across, along in _HALVES:
        yield f"{across} half", (low, 0.0, high, 1.0)
        yield f"{along} half", (0.0, low, 1.0, high)
    for x0, x1, across, _ in _HALVES:
        for y0, y1, _, along in _HALVES:
            yield f"{along} {across} quarter", (x0, y0, x1, y1)


def regions(facts: Facts) -> list[Focus]:
    """Parts of a picture with two or more objects whose boxes lie in them, but not all; no two of the same objects."""
    width, height = facts.image["width"], facts.image["height"]
    found: dict[tuple[str, ...], Focus] = {}
    for part, (x0, y0, x1, y1) in parts_of_picture():
        inside = tuple(
            row["object_id"] for row in facts.objects
            if x0 * width <= row["x0"] and row["x1"] <= x1 * width and y0 * height <= row["y0"] and row["y1"] <= y1 * height
        )  # fmt: skip
        if 2 <= len(inside) < len(facts.objects):
            found.setdefault(inside, Focus(inside, part))
    return list(found.values())


def draw_focuses(facts: Facts, settings: QuestionSettings) -> list[tuple[str, Focus]]:
    """(question type, focus) of every request for a picture, drawn by the picture's own seed.

    Types take turns; among focuses of a type's sizes the least used objects come first, and no (type, objects) comes
    twice while there is another. More objects wanted than there are means all; no region means the whole scene.
    """
    generator = random_of(facts.image["image_id"], "focus")
    types = generator.sample(settings.types, len(settings.types))
    used_pairs: set[tuple[str, frozenset[str]]] = set()
    used = {row["object_id"]: 0 for row in facts.objects}
    parts = regions(facts)
    drawn = []
    for index in range(settings.per_image):
        question_type = types[index % len(types)]
        focus = _draw_focus(question_type, settings.sizes(question_type), used, used_pairs, parts, generator)
        used_pairs.add((question_type, frozenset(focus.object_ids)))
        for object_id in focus.object_ids:
            used[object_id] += 1
        drawn.append((question_type, focus))
    return drawn


def _draw_focus(
    question_type: str, sizes: tuple[int | str, ...], used: dict[str, int], used_pairs: set, parts: Sequence[Focus],
    generator: random.Random,
) -> Focus:  # fmt: skip
    """A focus that the type has not had, if some tries find one; the least used objects first."""
    focus = Focus(())
    for _ in range(_TRIES):
        size = generator.choice(sizes)
        for focus in _of_size(size, used, parts, generator):
            if (question_type, frozenset(focus.object_ids)) not in used_pairs:
                return focus
    return focus


def _of_size(
    size: int | str, used: dict[str, int], parts: Sequence[Focus], generator: random.Random
) -> Iterator[Focus]:
    """The focus of the least used objects, then one at random."""
    if isinstance(size, str):
        ranked = sorted(parts, key=lambda part: (_use(part, used), generator.random()))
        yield ranked[0] if ranked else Focus(())
        return
    size = min(size, len(used))
    yield Focus(tuple(sorted(used, key=lambda object_id: (used[object_id], generator.random()))[:size]))
    yield Focus(tuple(generator.sample(list(used), size)))


def _use(focus: Focus, used: dict[str, int]) -> float:
    return sum(used[object_id] for object_id in focus.object_ids) / len(focus.object_ids)
