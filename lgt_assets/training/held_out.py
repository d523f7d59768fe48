"""Questions that a trained model is scored on: scenes that no training saw, and some outside of what training drew from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from lgt_assets.embedded.answerers import open_example, vlm_example
from lgt_assets.embedded.examinations import TYPES, papers, type_of
from lgt_assets.embedded.examples import Example, draw_ask
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.scenes import (
    CELL_SIZE,
    CENTERS,
    COLORS,
    RADIUS,
    SHAPES,
    SIZES,
    Scene,
    SceneObject,
    generate_scene,
)

IN_DOMAIN, MORE_OBJECTS, OPEN_FORM = "held_out", "more_objects", "open_form"
SUITES = (IN_DOMAIN, MORE_OBJECTS, OPEN_FORM)
# Numbers of scenes: training's lie from 2**32 on, the embedded model's own evaluation uses 2**30 and a little more, and the
# source `scenes` any below 2**31.
_FIRST_SCENE = 3 << 30
_PAPER = 7


@dataclass(frozen=True)
class Question:
    """A question with its picture's scene; ``hops`` is how many questions it is composed of, or 1."""

    suite: str
    kind: str
    hops: int
    example: Example


def questions(suite: str, count: int) -> list[Question]:
    """The first ``count`` questions of a suite, the same on every machine; equally many of each type in ``held_out``.

    Raises:
        KeyError: there is no such suite.
    """
    if suite == IN_DOMAIN:
        return [_question(suite, example) for example in papers(count, _PAPER).examples["vlm"]]
    makers = {MORE_OBJECTS: _crowded_example, OPEN_FORM: _open_example}
    return [_question(suite, makers[suite](number)) for number in range(count)]


def _question(suite: str, example: Example) -> Question:
    kind = type_of(example)
    return Question(suite, kind, max(1, len(example.ask.parts)) if kind != TYPES[-1] else 2, example)


def _open_example(number: int) -> Example:
    generator = random.Random(f"{OPEN_FORM}-{number}")
    return open_example(generate_scene(_FIRST_SCENE + number), generator)


def _crowded_example(number: int) -> Example:
    generator = random.Random(f"{MORE_OBJECTS}-{number}")
    scene = crowded_scene(_FIRST_SCENE + number, 6)
    while True:
        try:
            return vlm_example(scene, generator, draw_ask(scene, generator))
        except (NotAskable, ValueError):
            # Not every question that is drawn can be read in a scene where more objects share a colour or a form.
            continue


def crowded_scene(number: int, count: int) -> Scene:
    """A scene of more objects than training drew, each of its own colour and form together; up to ten."""
    generator = random.Random(f"{MORE_OBJECTS}-scene-{number}")
    names = generator.sample([(color, shape) for color in COLORS for shape in SHAPES], count)
    while True:
        columns, rows = generator.sample(CENTERS, count), generator.sample(CENTERS, count)
        objects = [
            SceneObject(color, shape, size, (x - RADIUS[size], y - RADIUS[size], x + RADIUS[size], y + RADIUS[size]))
            for (color, shape), size, x, y in zip(names, generator.choices(SIZES, k=count), columns, rows, strict=True)
        ]
        if _apart(objects):
            objects.sort(key=lambda item: (item.center[1] // CELL_SIZE, item.center[0] // CELL_SIZE))
            return Scene(number, tuple(objects))


def _apart(objects: Sequence[SceneObject]) -> bool:
    cells = {tuple(value // CELL_SIZE for value in item.center) for item in objects}
    boxes = [item.box for item in objects]
    overlapping = any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for i, a in enumerate(boxes) for b in boxes[:i]
    )
    return len(cells) == len(objects) and not overlapping
