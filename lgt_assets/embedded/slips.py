"""First thoughts as the VLM writes them, right or wrong: what the reasoner learns to continue. Free of torch."""

from __future__ import annotations

import random
from dataclasses import replace

from lgt_assets.embedded.grammar import resolve
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.scenes import CENTERS, COLORS, GRID_STEP, RADIUS, SHAPES, SIZES, Scene
from lgt_assets.embedded.thoughts import LETTERS, SEEN, conclusion, listing, steps
from lgt_assets.embedded.wordings import Ask

# A thought may be right, misread the picture, list rightly and read its own list wrongly, or only end wrongly.
ERRORS = {"none": 0.45, "perception": 0.3, "reading": 0.1, "conclusion": 0.15}


def vlm_thought(ask: Ask, listed: Scene, reasoned: Scene, menu: list[str], answer: str) -> str:
    """What the VLM writes when it sees ``listed`` and reasons about ``reasoned``: the same unless it slips."""
    end = conclusion(answer, menu) if answer in menu else f"Answer: {answer} ({LETTERS[len(answer) % 4]})."
    return f"I see {listing(listed.objects, SEEN)}. {steps(ask, reasoned, SEEN)} {end}"


def misperceive(scene: Scene, generator: random.Random) -> Scene:
    """The scene with one object mistaken in colour, form, size or place, or overlooked."""
    objects = list(scene.objects)
    at = generator.randrange(len(objects))
    item = objects[at]
    error = generator.choice(("color", "shape", "size", "place", "missing"))
    if error == "missing" and len(objects) > 2:
        del objects[at]
    elif error == "place":
        shift = (generator.choice((-GRID_STEP, GRID_STEP)), generator.choice((-GRID_STEP, 0, GRID_STEP)))
        shift = shift if generator.random() < 0.5 else shift[::-1]
        low, high = CENTERS[0], CENTERS[-1]
        x, y = (min(high, max(low, value + offset)) for value, offset in zip(item.center, shift, strict=True))
        radius = RADIUS[item.size]
        objects[at] = replace(item, box=(x - radius, y - radius, x + radius, y + radius))
    elif error == "size":
        size = SIZES[item.size == "small"]
        (x, y), radius = item.center, RADIUS[size]
        objects[at] = replace(item, size=size, box=(x - radius, y - radius, x + radius, y + radius))
    else:
        ring = SHAPES if error == "shape" else COLORS
        name = "shape" if error == "shape" else "color"
        objects[at] = replace(
            item, **{name: generator.choice([value for value in ring if value != getattr(item, name)])}
        )
    return Scene(scene.seed, tuple(objects))


def first_thought(ask: Ask, scene: Scene, menu: list[str], generator: random.Random) -> str:
    """A thought as the VLM writes it, right or with a slip carried through to its answer."""
    answer = resolve(ask, scene)
    error = generator.choices(tuple(ERRORS), tuple(ERRORS.values()))[0]
    if error in ("perception", "reading"):
        for _ in range(6):
            other = misperceive(scene, generator)
            try:
                wrong = resolve(ask, other)
                return vlm_thought(ask, other if error == "perception" else scene, other, menu, wrong)
            except NotAskable:
                continue
        error = "conclusion"
    if error == "conclusion":
        wrong = generator.choice([choice for choice in menu if choice != answer])
        return vlm_thought(ask, scene, scene, menu, wrong)
    return vlm_thought(ask, scene, scene, menu, answer)
