"""Random questions: about any scene, about given focus objects, and composed of two others. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.grammar import bridge, bridge_two_ends, resolve
from lgt_assets.embedded.referring import EXTREMES, PLURALS, NotAskable
from lgt_assets.embedded.scenes import COLORS, POSITIONS, SHAPES, SIZES, Scene, SceneObject
from lgt_assets.embedded.wordings import FURTHER, JOINABLE, Ask, wordings

# How many focus objects a question of each type may be about; "all" are all objects of the picture.
FOCUS_SIZES: dict[str, tuple[int | str, ...]] = {
    "Recognition": (1,),
    "Counting": (1, "all"),
    "Spatial": (1, 2, "all"),
    "Comparison": (2,),
}
# Fewer than half, or a composer that writes what is likeliest states nothing but true conditions.
TRUE_CONDITIONS = 0.35


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


def _counts(count: int, scene: Scene, generator: random.Random) -> tuple[Ask, ...]:
    asks: list[Ask] = []
    while len(asks) < count:
        ask = seed_ask("Counting", scene, generator)
        if ask not in asks:
            asks.append(ask)
    return tuple(asks)


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


def _two_ends(scene: Scene, generator: random.Random) -> tuple[Ask, ...]:
    """Questions for two extremes and one about the two objects they lead to."""
    while True:
        ends = tuple(Ask("extreme", (name,)) for name in generator.sample(EXTREMES, 2))
        names = [resolve(end, scene) for end in ends]
        if names[0] != names[1]:
            break
    generator.shuffle(names)
    kind = generator.choice(("direction", "larger", "further"))
    return *ends, Ask(kind, (generator.choice(FURTHER), *names) if kind == "further" else tuple(names))


def stated_ask(scene: Scene, generator: random.Random) -> Ask:
    """A question whose answer can be the condition of a conditional one."""
    kind = generator.choice(("recognition", "recognition", "where", "extreme"))
    if kind == "recognition":
        return seed_ask("Recognition", scene, generator)
    return Ask(kind, (generator.choice(EXTREMES) if kind == "extreme" else generator.choice(scene.objects).name,))


def another_count(asked: Ask, generator: random.Random) -> Ask:
    """A question for another number than the one asked for, of whatever a scene may hold."""
    subjects = (*PLURALS.values(), *(f"{word} objects" for word in (*COLORS, *SIZES)))
    return Ask("count", (generator.choice([subject for subject in subjects if subject != asked.slots[0]]),))


def conditional(condition: Ask, counted: Ask, scene: Scene, generator: random.Random) -> Ask:
    """A conditional question that the answers of both parents answer: its condition holds, or its other branch counts."""
    answer, other = resolve(condition, scene), another_count(counted, generator)
    if generator.random() < TRUE_CONDITIONS:
        return Ask("if", (answer,), (condition, counted, other))
    values = {
        "color": COLORS,
        "shape": SHAPES,
        "where": POSITIONS,
        "extreme": tuple(item.name for item in scene.objects),
    }[condition.kind]
    stated = generator.choice([value for value in values if value != answer])
    return Ask("if", (stated,), (condition, other, counted))


def draw_parent_count(kind: str, generator: random.Random) -> int:
    """How many parents a composition has; only bridges and aggregates know more than two."""
    shares = {"bridge": (0.75, 0.25), "aggregate": (0.5, 0.35, 0.15)}.get(kind, (1.0,))
    return generator.choices(range(2, 2 + len(shares)), shares)[0]


def composed_ask(
    kind: str, scene: Scene, generator: random.Random, parent_count: int | None = None
) -> tuple[tuple[Ask, ...], Ask]:
    """Seed questions in random order, as many as wanted or drawn, and the question composed of them.

    Raises KeyError for an unknown kind.
    """
    count = parent_count or draw_parent_count(kind, generator)
    if kind == "bridge":
        parents = list(_bridge_start(scene, generator) if count == 2 else _two_ends(scene, generator))
        texts = [(ask_text(parent), resolve(parent, scene)) for parent in parents]
        composed = bridge(*texts) if count == 2 else bridge_two_ends(texts)
        generator.shuffle(parents)
        return tuple(parents), composed
    if kind == "intersect":
        while True:
            first, second = _joinable(scene, generator), _joinable(scene, generator)
            if first != second:
                return (first, second), Ask("both", parts=(first, second))
    if kind == "conditional":
        condition, counted = stated_ask(scene, generator), seed_ask("Counting", scene, generator)
        parents = generator.sample((condition, counted), 2)
        return tuple(parents), conditional(condition, counted, scene, generator)
    counts = _counts(count, scene, generator)
    name = {"aggregate": "sum", "compare": "more"}[kind]
    return counts, Ask(name, tuple(ask.slots[0] for ask in counts))


def ask_text(ask: Ask) -> str:
    """A question in its first wording."""
    return wordings(ask)[0]
