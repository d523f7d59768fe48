"""Scenes of coloured shapes: what the embedded model is trained on and the only thing it knows.

A scene is drawn from a seed alone. Three to five shapes stand on a 240 x 240 picture; their centres lie on a grid of
20 pixels, no two in one column, row, or cell of the 4 x 4 raster of visual tokens. Every shape differs from all others
by its colour or by its form, so a question can name it without boxes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SIZE = 240
CELL_SIZE = 60
GRID_STEP = 20
CENTERS = tuple(range(30, 211, GRID_STEP))

# The order matters: multiple choices are windows of four neighbours in these rings.
COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "black")
SHAPES = ("circle", "square", "triangle", "star", "cross")
SIZES = ("small", "large")
POSITIONS = tuple(f"{row}-{column}" for row in ("top", "middle", "bottom") for column in ("left", "center", "right"))
RADIUS = {"small": 20, "large": 30}
RGB = {
    "red": (222, 40, 46),
    "orange": (246, 138, 28),
    "yellow": (245, 213, 45),
    "green": (38, 155, 66),
    "cyan": (58, 196, 214),
    "blue": (44, 76, 214),
    "purple": (142, 58, 176),
    "black": (36, 36, 42),
}
MARGIN = 5


@dataclass(frozen=True)
class SceneObject:
    """One shape; ``box`` is (x0, y0, x1, y1) in pixels of the 240 x 240 picture."""

    color: str
    shape: str
    size: str
    box: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        """Colour and form, unique within a scene: ``red circle``."""
        return f"{self.color} {self.shape}"

    @property
    def phrase(self) -> str:
        """Size, colour and form: ``small red circle``."""
        return f"{self.size} {self.color} {self.shape}"

    @property
    def radius(self) -> int:
        """Half the box's width, in pixels."""
        return (self.box[2] - self.box[0]) // 2

    @property
    def center(self) -> tuple[int, int]:
        """Centre (x, y) in pixels."""
        return (self.box[0] + self.box[2]) // 2, (self.box[1] + self.box[3]) // 2


@dataclass(frozen=True)
class Scene:
    """Objects in reading order of the 4 x 4 cells their centres lie in; ``seed`` also fixes hues and background."""

    seed: int
    objects: tuple[SceneObject, ...]


def _groups(generator: random.Random, count: int) -> list[tuple[str, str]]:
    """Colour and form of ``count`` objects: groups share a colour or a form, and nothing across groups."""
    colors, shapes = list(COLORS), list(SHAPES)
    generator.shuffle(colors)
    generator.shuffle(shapes)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < count:
        size = generator.choice((1, 1, 2, 2, 3))
        # Later groups must find an unused form each, so a group of forms may not use up what the rest needs.
        size = min(size, count - len(pairs))
        if generator.random() < 0.5:
            shape = shapes.pop()
            pairs += [(colors.pop(), shape) for _ in range(size)]
        else:
            color = colors.pop()
            pairs += [(color, shapes.pop()) for _ in range(size)]
    generator.shuffle(pairs)
    return pairs


def _apart(first: SceneObject, second: SceneObject) -> bool:
    distance = max(abs(a - b) for a, b in zip(first.center, second.center, strict=True))
    same_cell = all(a // CELL_SIZE == b // CELL_SIZE for a, b in zip(first.center, second.center, strict=True))
    return distance >= RADIUS[first.size] + RADIUS[second.size] + MARGIN and not same_cell


def generate_scene(seed: int) -> Scene:
    """The scene of a seed: 3 to 5 objects, unambiguous and free of overlaps."""
    generator = random.Random(f"scene-{seed}")
    count = generator.choice((3, 4, 4, 5, 5))
    pairs = _groups(generator, count)
    sizes = [generator.choice(SIZES) for _ in pairs]
    while True:
        columns, rows = generator.sample(CENTERS, count), generator.sample(CENTERS, count)
        objects = []
        for (color, shape), size, x, y in zip(pairs, sizes, columns, rows, strict=True):
            radius = RADIUS[size]
            objects.append(SceneObject(color, shape, size, (x - radius, y - radius, x + radius, y + radius)))
        if all(_apart(a, b) for i, a in enumerate(objects) for b in objects[:i]):
            objects.sort(key=lambda item: (item.center[1] // CELL_SIZE, item.center[0] // CELL_SIZE))
            return Scene(seed, tuple(objects))


def outline(shape: str, radius: float) -> list[tuple[float, float]]:
    """Corner points (x, y) of a form around (0, 0); a circle has none. Raises KeyError for an unknown form."""
    import math

    arm = radius * 0.36
    corners = {
        "circle": [],
        "square": [(-radius, -radius), (radius, -radius), (radius, radius), (-radius, radius)],
        "triangle": [(0, -radius), (radius, radius), (-radius, radius)],
        "star": [
            (
                radius * (1.05 if i % 2 == 0 else 0.45) * math.sin(math.pi * i / 5),
                -radius * (1.05 if i % 2 == 0 else 0.45) * math.cos(math.pi * i / 5),
            )
            for i in range(10)
        ],
        "cross": [
            (-arm, -radius), (arm, -radius), (arm, -arm), (radius, -arm), (radius, arm), (arm, arm),
            (arm, radius), (-arm, radius), (-arm, arm), (-radius, arm), (-radius, -arm), (-arm, -arm),
        ],
    }  # fmt: skip
    return corners[shape]


@cache
def _masks(shape: str, radius: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Anti-aliased masks, 2 (radius + 8) pixels wide: the form, its soft shadow, the light on its upper half."""
    from PIL import Image, ImageChops, ImageDraw, ImageFilter

    scale, border = 8, 8
    width = 2 * (radius + border)
    large = Image.new("L", (width * scale, width * scale), 0)
    drawing, center = ImageDraw.Draw(large), width * scale / 2
    reach = radius * scale
    if shape == "circle":
        drawing.ellipse([center - reach, center - reach, center + reach, center + reach], fill=255)
    else:
        drawing.polygon([(center + x, center + y) for x, y in outline(shape, reach)], fill=255)
    form = large.resize((width, width), Image.Resampling.BOX)
    shadow = ImageChops.offset(form, 2, 3).filter(ImageFilter.GaussianBlur(2.5)).point(lambda value: value * 0.22)
    light = Image.linear_gradient("L").rotate(180).resize((width, width)).point(lambda value: value * 0.25)
    return form, shadow, ImageChops.multiply(form, light)


def render(scene: Scene) -> Image.Image:
    """The 240 x 240 RGB picture of a scene: soft gradient, shadows and light; hues vary a little with the seed."""
    import numpy
    from PIL import Image

    generator = random.Random(f"render-{scene.seed}")
    ramp = numpy.linspace(185.0, 252.0, PICTURE_SIZE, dtype=numpy.float32)
    background = numpy.empty((PICTURE_SIZE, PICTURE_SIZE, 3), dtype=numpy.float32)
    # Red grows to the right and blue downwards: the vision tower sees relative positions only and reads place here.
    background[..., 0] = ramp[None, :] + generator.randint(-4, 3)
    background[..., 1] = 226 + generator.randint(-12, 12)
    background[..., 2] = ramp[:, None] + generator.randint(-4, 3)
    picture = Image.fromarray(background.astype(numpy.uint8), "RGB")
    for item in scene.objects:
        form, shadow, light = _masks(item.shape, item.radius)
        color = tuple(max(0, min(255, channel + generator.randint(-13, 13))) for channel in RGB[item.color])
        corner = (item.center[0] - form.width // 2, item.center[1] - form.height // 2)
        picture.paste((40, 40, 60), corner, shadow)
        picture.paste(color, corner, form)
        picture.paste((255, 255, 255), corner, light)
    return picture


def position(item: SceneObject) -> str:
    """Which ninth of the picture the centre lies in, one of ``POSITIONS``."""
    x, y = item.center
    return f"{('top', 'middle', 'bottom')[y // 80]}-{('left', 'center', 'right')[x // 80]}"


NUMBER_WORDS = ("no", "one", "two", "three", "four", "five")
_INTRODUCTIONS = (
    "The image shows {} shapes on a soft background.",
    "There are {} objects in this picture.",
    "A simple scene with {} shapes.",
    "We see {} shapes on a pastel gradient.",
    "This picture has {} flat shapes.",
)
_SENTENCES = (
    "A {phrase} is at the {place}.",
    "There is a {phrase} at the {place}.",
    "At the {place} there is a {phrase}.",
    "At the {place} we see a {phrase}.",
    "The {place} holds a {phrase}.",
)


def caption(scene: Scene, seed: int) -> str:
    """A dense caption that names every object with size, colour, form and place; the seed varies order and wording."""
    generator = random.Random(f"caption-{scene.seed}-{seed}")
    objects = list(scene.objects)
    if generator.random() < 0.5:
        generator.shuffle(objects)
    sentences = [generator.choice(_INTRODUCTIONS).format(NUMBER_WORDS[len(objects)])]
    for item in objects:
        sentences.append(generator.choice(_SENTENCES).format(phrase=item.phrase, place=position(item)))
    return " ".join(sentences)
