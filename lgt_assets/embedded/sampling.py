"""Random questions: about any scene, about given focus objects, and composed of two others. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.grammar import (
    EXTREMES,
    FURTHER,
    JOINABLE,
    PLURALS,
    Ask,
    NotAskable,
    bridge,
    resolve,
)
from lgt_assets.embedded.scenes import SIZES, Scene, SceneObject

# How many focus objects a question of each type may be about; "all" are all objects of the picture.
FOCUS_SIZES: dict[str, tuple[int | str, ...]] = {
    "Recognition": (1,),
    "Counting": (1, "all"),
    "Spatial": (1, 2, "all"),
    "Comparison": (2,),
}
SEED_KINDS = ("color", "shape", "count", "where", "direction", "extreme", "larger", "further", "more")


def _attribute_subject(item: SceneObject, generator: random.Random) -> str:
    return generator.choice((PLURALS[item.shape], f"{item.color} objects"))


def focused_ask(question_type: str, focus: tuple[SceneObject, ...], scene: Scene, generator: random.Random) -> Ask:
    """A question of a type about one, two or all objects of a scene, as FOCUS_SIZES allows.

    Raises NotAskable for a type and a number of focus objects that do not go together.
    """
    count = "all" if len(focus) == len(scene.objects) else len(focus)
    if count not in FOCUS_SIZES[question_type]:
        raise NotAskable(f"no {question_type} question about {count} objects")
    if question_type == "Recognition":
        item = focus[0]
        same_shape = sum(other.shape == item.shape for other in scene.objects)
        same_color = sum(other.color == item.color for other in scene.objects)
        kind = "shape" if same_shape > 1 else "color" if same_color > 1 else generator.choice(("color", "shape"))
        return Ask(kind, (item.shape if kind == "color" else item.color,))
    if question_type == "Counting":
        if count == "all":
            return Ask("count", (generator.choice(("objects", *(f"{size} objects" for size in SIZES))),))
        return Ask("count", (_attribute_subject(focus[0], generator),))
    if question_type == "Spatial":
        if count == "all":
            return Ask("extreme", (generator.choice(EXTREMES),))
        return Ask("where" if count == 1 else "direction", tuple(item.name for item in focus))
    names = tuple(item.name for item in focus)
    kind = generator.choice(("larger", "further", "more"))
    if kind == "further":
        return Ask(kind, (generator.choice(FURTHER), *names))
    if kind == "larger":
        return Ask(kind, names)
    by_shape = focus[0].shape != focus[1].shape and (focus[0].color == focus[1].color or generator.random() < 0.5)
    return Ask(kind, tuple(PLURALS[item.shape] if by_shape else f"{item.color} objects" for item in focus))


def draw_focus(question_type: str, scene: Scene, generator: random.Random) -> tuple[SceneObject, ...]:
    """Focus objects a question of this type may be about, in random order."""
    size = generator.choice(FOCUS_SIZES[question_type])
    if size == "all":
        return scene.objects
    return tuple(generator.sample(scene.objects, int(size)))


def seed_ask(question_type: str, scene: Scene, generator: random.Random) -> Ask:
    """A question of a type about randomly drawn focus objects."""
    return focused_ask(question_type, draw_focus(question_type, scene, generator), scene, generator)


def _counts(scene: Scene, generator: random.Random) -> tuple[Ask, Ask]:
    while True:
        first, second = (seed_ask("Counting", scene, generator) for _ in range(2))
        if first != second:
            return first, second


def _joinable(scene: Scene, generator: random.Random) -> Ask:
    while True:
        ask = seed_ask(generator.choice(("Recognition", "Counting", "Spatial")), scene, generator)
        if ask.kind in JOINABLE:
            return ask


def _bridge_start(scene: Scene, generator: random.Random) -> tuple[Ask, Ask]:
    """Two questions of which the first leads to the second."""
    if generator.random() < 0.4:
        first = seed_ask("Recognition", scene, generator)
        answer = resolve(first, scene)
        return first, Ask("count", (f"{answer} objects" if first.kind == "color" else PLURALS[answer],))
    first = Ask("extreme", (generator.choice(EXTREMES),))
    item = next(item for item in scene.objects if item.name == resolve(first, scene))
    other = generator.choice([other for other in scene.objects if other != item])
    pair = [item.name, other.name]
    generator.shuffle(pair)
    kind = generator.choice(("count", "where", "direction", "larger", "further"))
    slots = {
        "count": (_attribute_subject(item, generator),),
        "where": (item.name,),
        "further": (generator.choice(FURTHER), *pair),
    }.get(kind, tuple(pair))
    return first, Ask(kind, slots)


def composed_ask(kind: str, scene: Scene, generator: random.Random) -> tuple[tuple[Ask, Ask], Ask]:
    """Two seed questions in random order and the question composed of them. Raises KeyError for an unknown kind."""
    if kind == "bridge":
        parents = list(_bridge_start(scene, generator))
        texts = [(ask_text(parent), resolve(parent, scene)) for parent in parents]
        composed = bridge(texts[0], texts[1])
        generator.shuffle(parents)
        return (parents[0], parents[1]), composed
    if kind == "intersect":
        while True:
            first, second = _joinable(scene, generator), _joinable(scene, generator)
            if first != second:
                return (first, second), Ask("both", parts=(first, second))
    first, second = _counts(scene, generator)
    name = {"aggregate": "sum", "compare": "more"}[kind]
    return (first, second), Ask(name, (first.slots[0], second.slots[0]))


def ask_text(ask: Ask) -> str:
    """A question in its first wording."""
    from lgt_assets.embedded.grammar import TEMPLATES

    return TEMPLATES[ask.kind][0].format(*ask.slots)
