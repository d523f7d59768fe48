"""The chains of thought the embedded model is taught: every intermediate result is written before it is used.

Records are numbered, ``#1 small red circle [50, 30, 90, 70]`` where the model looks at pixels and ``1) small red ...``
where it reads facts, so that a step can point at a record and a copying attention head can follow. Free of torch.
"""

from __future__ import annotations

import random

from lgt_assets.embedded.grammar import (
    CANNOT_TELL,
    DIRECTIONS,
    EXTREMES,
    FURTHER,
    NEITHER,
    NONE_OF_THEM,
    Ask,
    NotAskable,
    belongs,
    find,
    plain_subject,
    resolve,
)
from lgt_assets.embedded.scenes import COLORS, POSITIONS, SHAPES, Scene, SceneObject, position

LETTERS = "ABCD"
SEEN, GIVEN = "#{}", "{})"


def record(item: SceneObject) -> str:
    """An object with its box: ``small red circle [50, 30, 90, 70]``."""
    return f"{item.phrase} [{', '.join(map(str, item.box))}]"


def listing(objects: tuple[SceneObject, ...], style: str) -> str:
    """All records, numbered in the given style and separated by semicolons."""
    return "; ".join(f"{style.format(i)} {record(item)}" for i, item in enumerate(objects, 1))


def _pointer(item: SceneObject, scene: Scene, style: str) -> str:
    return f"{style.format(scene.objects.index(item) + 1)} {item.phrase}"


def _scan(scene: Scene, style: str, note) -> str:
    return "; ".join(f"{style.format(i)} {item.phrase} {note(item)}" for i, item in enumerate(scene.objects, 1))


def _running(scene: Scene, subjects: tuple[str, ...], style: str) -> str:
    """Each object with the tallies so far; one number for each subject."""
    tallies = [0] * len(subjects)

    def note(item: SceneObject) -> str:
        for i, subject in enumerate(subjects):
            tallies[i] += belongs(item, subject)
        return " ".join(map(str, tallies))

    scan = _scan(scene, style, note)
    return f"Count the {' and the '.join(subjects)}: {scan}. That makes {' and '.join(map(str, tallies))}."


def _extreme(name: str, scene: Scene, style: str) -> str:
    """Each object's coordinate on the axis asked about, and the best so far; then whose that is."""
    axis, better = ((0, min), (0, max), (1, min), (1, max))[EXTREMES.index(name)]
    best: list[int] = []

    def note(item: SceneObject) -> str:
        best[:] = [better([item.center[axis], *best])]
        return f"{item.center[axis]} {best[0]}"

    return f"Find the {name}: {_scan(scene, style, note)}."


def _thing(thing: str, scene: Scene, style: str, *, centered: bool = False) -> str:
    """What says which object is meant: a scan for an extreme, else the record's number; with its centre if asked."""
    name = thing.split()[0] if thing.split()[0] in EXTREMES else thing
    lead = _extreme(name, scene, style) + " " if name != thing else ""
    item = find(thing, scene)
    center = f" at {item.center[0]} {item.center[1]}" if centered else ""
    return f"{lead}The {name} is {_pointer(item, scene, style)}{center}."


def steps(ask: Ask, scene: Scene, style: str) -> str:
    """The sentences that lead to the answer of a question. Raises NotAskable as ``resolve`` does."""
    kind, slots = ask.kind, ask.slots
    if kind == "both":
        return " ".join(f"{steps(part, scene, style)} So {resolve(part, scene)}." for part in ask.parts)
    if kind == "color":
        return _thing(slots[0], scene, style)
    if kind == "shape":
        return _thing(f"{slots[0]} object", scene, style)
    if kind == "extreme":
        return _thing(f"{slots[0]} object", scene, style)
    if kind == "count":
        plain = plain_subject(slots[0], scene)
        lead = _thing(slots[0].partition(" of the ")[2], scene, style) + " " if plain != slots[0] else ""
        return lead + _running(scene, (plain,), style)
    if kind in ("more", "sum"):
        text = _running(scene, slots, style)
        if kind == "more":
            return text
        first, second = text[:-1].split(" makes ")[1].split(" and ")
        return f"{text} {first} plus {second} is {resolve(ask, scene)}."
    things = slots[-2:] if kind != "where" else slots
    lead = " ".join(_thing(thing, scene, style, centered=kind != "larger") for thing in things)
    items = [find(thing, scene) for thing in things]
    if kind == "larger":
        return f"{lead} {items[0].size} against {items[1].size}."
    if kind == "where":
        return f"{lead} That is {position(items[0])}."
    (x0, y0), (x1, y1) = (item.center for item in items)
    if kind == "further":
        return f"{lead} {x0} against {x1}." if slots[0] in FURTHER[:2] else f"{lead} {y0} against {y1}."
    across = "level" if abs(x0 - x1) <= 20 else "left" if x0 < x1 else "right"
    along = "level" if abs(y0 - y1) <= 20 else "above" if y0 < y1 else "below"
    return f"{lead} {x0} against {x1}: {across}. {y0} against {y1}: {along}."


def _window(ring: tuple[str, ...], answer: str, generator: random.Random) -> list[str]:
    start = ring.index(answer) - generator.randrange(4)
    return [ring[(start + i) % len(ring)] for i in range(4)]


def choices_for(ask: Ask, answer: str, scene: Scene, generator: random.Random) -> list[str]:
    """Four different choices, one of them the answer, in the order a question writer lists them.

    Colours, forms, places and directions are four neighbours of a fixed ring, numbers rise, names keep the objects' order.
    """
    rings = {"color": COLORS, "shape": SHAPES, "where": POSITIONS, "direction": DIRECTIONS}
    if ask.kind in rings:
        return _window(rings[ask.kind], answer, generator)
    if ask.kind in ("count", "sum"):
        start = max(0, int(answer) - generator.randrange(4))
        return [str(start + i) for i in range(4)]
    if ask.kind == "extreme":
        names = [item.name for item in scene.objects]
        while len(names) > 4:
            names.remove(generator.choice([name for name in names if name != answer]))
        return names if len(names) == 4 else [*names, NONE_OF_THEM]
    if ask.kind == "more":
        return [*ask.slots, NEITHER, CANNOT_TELL]
    if ask.kind in ("larger", "further"):
        return [*(find(slot, scene).name for slot in ask.slots[-2:]), NEITHER, CANNOT_TELL]
    if ask.kind == "both":
        pairs = []
        for part, own in zip(ask.parts, answer.split(" and "), strict=True):
            menu = choices_for(part, own, scene, generator)
            pair = [own, following(menu, own)]
            generator.shuffle(pair)
            pairs.append(pair)
        return [f"{first} and {second}" for first in pairs[0] for second in pairs[1]]
    raise NotAskable(f"no choices for {ask.kind}")


def following(menu: list[str], answer: str) -> str:
    """The choice after the answer, in a circle: the distractor a composer takes from a parent."""
    return menu[(menu.index(answer) + 1) % len(menu)]


def lettered(menu: list[str]) -> str:
    """``(A) red (B) blue (C) green (D) black``"""
    return " ".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, menu, strict=True))


def conclusion(answer: str, menu: list[str] | None) -> str:
    """The last sentence of every thought; without choices there is no letter."""
    return f"Answer: {answer}." if menu is None else f"Answer: {answer} ({LETTERS[menu.index(answer)]})."
