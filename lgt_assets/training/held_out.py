"""Questions that a trained model is scored on: scenes that no training saw, and some outside of what training drew from."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from lgt_assets.embedded.answerers import open_example, vlm_example
from lgt_assets.embedded.examinations import TYPES, papers, type_of
from lgt_assets.embedded.examples import Example, draw_ask
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.scenes import (
    CELL_SIZE,
    CENTERS,
    COLORS,
    PICTURE_SIZE,
    RADIUS,
    SHAPES,
    SIZES,
    Scene,
    SceneObject,
    generate_scene,
)
from lgt_assets.errors import SettingsError

IN_DOMAIN, MORE_OBJECTS, CROSSED_PAIRS, OTHER_SIZES, OPEN_FORM = (
    "held_out", "more_objects", "crossed_pairs", "other_sizes", "open_form",
)  # fmt: skip
SUITES = (IN_DOMAIN, MORE_OBJECTS, CROSSED_PAIRS, OTHER_SIZES, OPEN_FORM)
# Numbers of scenes: training's lie from 2**32 on, the embedded model's own evaluation uses 2**30 and a little more, and the
# source `scenes` any below 2**31.
_FIRST_SCENE = 3 << 30
_PAPER = 7
# Pixels from centre to edge, where every other scene has scenes.RADIUS.
OTHER_RADIUS = {"small": 14, "large": 36}
_MOST_DRAWN = 50  # times as many as are asked for, until so few are left that none will come


@dataclass(frozen=True)
class Question:
    """A question with its picture's scene; ``hops`` is how many questions it is composed of, or 1."""

    suite: str
    kind: str
    hops: int
    example: Example


def questions(suite: str, count: int, *, known: Container[str] = frozenset()) -> list[Question]:
    """The first ``count`` questions of a suite, the same on every machine; equally many of each type in ``held_out``.

    Args:
        suite: one of SUITES.
        count: how many.
        known: prompts that some training asks, word for word: they are passed over.

    Raises:
        KeyError: there is no such suite.
        SettingsError: so many are known that too few are left.
    """
    per_type = -(-count // len(TYPES)) if suite == IN_DOMAIN else count
    made = {IN_DOMAIN: _in_domain, OPEN_FORM: _open_form}.get(suite) or _MAKERS[suite]
    taken: list[Question] = []
    of_type: Counter[str] = Counter()
    for example in islice(made(count), _MOST_DRAWN * count):
        question = _question(suite, example)
        if example.user not in known and of_type[question.kind] < per_type:
            of_type[question.kind] += 1
            taken.append(question)
        if len(taken) == count:
            return taken
    raise SettingsError(f"suite {suite}: only {len(taken)} of {count} questions are not asked in training: ask fewer")


def _question(suite: str, example: Example) -> Question:
    kind = type_of(example)
    return Question(suite, kind, max(1, len(example.ask.parts)) if kind != TYPES[-1] else 2, example)


def _in_domain(count: int) -> Iterator[Example]:
    """Papers of ``count``, and longer ones, which begin with the shorter."""
    told = 0
    while True:
        examples = papers(told + count, _PAPER).examples["vlm"]
        yield from examples[told:]
        told += count


def _open_form(_: int) -> Iterator[Example]:
    for number in itertools.count():
        yield open_example(generate_scene(_FIRST_SCENE + number), random.Random(f"{OPEN_FORM}-{number}"))


def _with_choices(suite: str, scene_of: Callable[[int], Scene]) -> Iterator[Example]:
    for number in itertools.count():
        generator, scene = random.Random(f"{suite}-{number}"), scene_of(_FIRST_SCENE + number)
        while True:
            # Not every question that is drawn can be read in a scene where more objects share a colour or a form.
            with suppress(NotAskable, ValueError):
                yield vlm_example(scene, generator, draw_ask(scene, generator))
                break


def crowded_scene(number: int, count: int = 6) -> Scene:
    """A scene of more objects than training drew, each of its own colour and form together; up to ten."""
    generator = random.Random(f"{MORE_OBJECTS}-scene-{number}")
    names = generator.sample([(color, shape) for color in COLORS for shape in SHAPES], count)
    return _placed(number, names, RADIUS, generator)


def crossed_scene(number: int) -> Scene:
    """Two colours and two forms in all four pairs, and an object of neither: elsewhere objects share one or the other."""
    generator = random.Random(f"{CROSSED_PAIRS}-scene-{number}")
    (*colors, lone_color), (*shapes, lone_shape) = generator.sample(COLORS, 3), generator.sample(SHAPES, 3)
    names = [(color, shape) for color in colors for shape in shapes]
    return _placed(number, [*names, (lone_color, lone_shape)], RADIUS, generator)


def resized_scene(number: int) -> Scene:
    """A scene as training drew them, of objects whose sizes it never drew: OTHER_RADIUS."""
    generator = random.Random(f"{OTHER_SIZES}-scene-{number}")
    names = [(item.color, item.shape) for item in generate_scene(number).objects]
    return _placed(number, names, OTHER_RADIUS, generator)


def _placed(
    number: int, names: Sequence[tuple[str, str]], radius_of: Mapping[str, int], generator: random.Random
) -> Scene:
    """The objects inside the picture and apart from one another, as small as large."""
    count = len(names)
    while True:
        columns, rows = generator.sample(CENTERS, count), generator.sample(CENTERS, count)
        objects = [
            SceneObject(color, shape, size, (x - radius, y - radius, x + radius, y + radius))
            for (color, shape), size, x, y in zip(names, generator.choices(SIZES, k=count), columns, rows, strict=True)
            for radius in (radius_of[size],)
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
    inside = all(0 <= edge <= PICTURE_SIZE for box in boxes for edge in box)
    return len(cells) == len(objects) and inside and not overlapping


_MAKERS: Mapping[str, Callable[[int], Iterator[Example]]] = {
    MORE_OBJECTS: lambda _: _with_choices(MORE_OBJECTS, crowded_scene),
    CROSSED_PAIRS: lambda _: _with_choices(CROSSED_PAIRS, crossed_scene),
    OTHER_SIZES: lambda _: _with_choices(OTHER_SIZES, resized_scene),
}
