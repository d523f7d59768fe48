"""The chains of thought the embedded model is taught: every intermediate result is written before it is used.

What a step needs stands right before it or follows, elsewhere, the very words just written: copying attention heads
find both. Records are numbered, ``#1 small red circle [50, 30, 90, 70]`` where the model looks at pixels and
``1) small red ...`` where it reads facts. Free of torch.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate

from lgt_assets.embedded.grammar import resolve, taken
from lgt_assets.embedded.referring import DIRECTIONS, EXTREMES, NotAskable, belongs, find, plain_subject, tally
from lgt_assets.embedded.scenes import COLORS, POSITIONS, SHAPES, SIZES, Scene, SceneObject, position
from lgt_assets.embedded.wordings import CANNOT_TELL, FURTHER, NEITHER, NONE_OF_THEM, Ask

LETTERS = "ABCD"
SEEN, GIVEN = "#{}", "{})"


def record(item: SceneObject) -> str:
    """An object with its box: ``small red circle [50, 30, 90, 70]``."""
    return f"{item.phrase} {_box(item)}"


def _box(item: SceneObject) -> str:
    return f"[{', '.join(map(str, item.box))}]"


def listing(objects: tuple[SceneObject, ...], style: str) -> str:
    """All records, numbered in the given style and separated by semicolons."""
    return "; ".join(f"{style.format(i)} {record(item)}" for i, item in enumerate(objects, 1))


def _scan(scene: Scene, style: str, note: Callable[[SceneObject], str]) -> str:
    return "; ".join(f"{style.format(i)} {item.phrase} {note(item)}" for i, item in enumerate(scene.objects, 1))


def _count(subject: str, scene: Scene, style: str) -> str:
    """Each object with the tally so far."""
    total = 0

    def note(item: SceneObject) -> str:
        nonlocal total
        total += belongs(item, subject)
        return str(total)

    return f"Count the {subject}: {_scan(scene, style, note)}. That makes {total}."


def _look_for(thing: str, scene: Scene, style: str) -> str:
    """The objects up to the one that is meant by a form or a colour."""
    wanted = find(thing, scene)
    upto = scene.objects[: scene.objects.index(wanted) + 1]
    return f"Look for the {thing}: {_scan(Scene(0, upto), style, lambda item: 'yes' if item == wanted else 'no')}."


def _extreme(name: str, scene: Scene, style: str) -> str:
    """Each object's box, its coordinate on the axis asked about, the best so far and whose that is."""
    axis, better = ((0, min), (0, max), (1, min), (1, max))[EXTREMES.index(name)]
    best: list[tuple[int, str]] = []

    def note(item: SceneObject) -> str:
        own = style.format(scene.objects.index(item) + 1)
        # Coordinates differ within a scene; the comparison never comes to the second part.
        best[:] = [better([*best, (item.center[axis], own)])]
        return f"{_box(item)} {item.center[axis]} {best[0][0]} {best[0][1]}"

    return f"Find the {name}: {_scan(scene, style, note)}."


def _thing(thing: str, scene: Scene, style: str) -> str:
    """An object named or found, up to its phrase: ``The red star`` or ``Find the lowest: ... The lowest is #2 ...``."""
    name = thing.split()[0]
    if name not in EXTREMES:
        return f"The {thing}"
    item = find(thing, scene)
    number = style.format(scene.objects.index(item) + 1)
    return f"{_extreme(name, scene, style)} The {name} is {number} {item.phrase}"


def _placed(thing: str, scene: Scene, style: str) -> str:
    item = find(thing, scene)
    return f"{_thing(thing, scene, style)} {_box(item)} at {item.center[0]} {item.center[1]}."


def steps(ask: Ask, scene: Scene, style: str) -> str:
    """The sentences that lead to the answer of a question. Raises NotAskable as ``resolve`` does."""
    kind, slots = ask.kind, ask.slots
    if kind == "both":
        return " ".join(f"{steps(part, scene, style)} So {resolve(part, scene)}." for part in ask.parts)
    if kind == "if":
        actual = resolve(ask.parts[0], scene)
        branch = steps(taken(ask, scene), scene, style)
        return f"{steps(ask.parts[0], scene, style)} So {actual}. {held_against(actual, slots[0])} {branch}"
    if kind in ("color", "shape"):
        return _look_for(slots[0] if kind == "color" else f"{slots[0]} object", scene, style)
    if kind == "extreme":
        return _thing(f"{slots[0]} object", scene, style) + "."
    if kind == "count":
        return _attribute_steps(slots[0], scene, style) + _count(plain_subject(slots[0], scene), scene, style)
    if kind in ("more", "sum"):
        numbers = [tally(slot, scene) for slot in slots]
        text = " ".join(_count(slot, scene, style) for slot in slots)
        return f"{text} {added(numbers) if kind == 'sum' else versus(*numbers)}"
    if kind == "larger":
        items = [(thing, find(thing, scene)) for thing in slots]
        lead = " ".join(f"{_thing(thing, scene, style)} {_box(item)} is {item.size}." for thing, item in items)
        return f"{lead} So {_which(SIZES.index(items[1][1].size), SIZES.index(items[0][1].size))}."
    if kind == "where":
        return f"{_placed(slots[0], scene, style)} That is {position(find(slots[0], scene))}."
    lead = " ".join(_placed(thing, scene, style) for thing in slots[-2:])
    (x0, y0), (x1, y1) = (find(thing, scene).center for thing in slots[-2:])
    if kind == "further":
        first, second = (x0, x1) if slots[0] in FURTHER[:2] else (y0, y1)
        return f"{lead} Which is {slots[0]}: {versus(first, second, smaller_wins=slots[0] in FURTHER[::2])}"
    across = "level" if abs(x0 - x1) <= 20 else "left" if x0 < x1 else "right"
    along = "level" if abs(y0 - y1) <= 20 else "above" if y0 < y1 else "below"
    return f"{lead} {x0} against {x1}: {across}. {y0} against {y1}: {along}."


def added(numbers: list[int]) -> str:
    """Numbers added one by one: ``1 plus 2 is 3. 3 plus 2 is 5.``"""
    totals = list(accumulate(numbers))
    return " ".join(
        f"{total} plus {number} is {total + number}." for total, number in zip(totals, numbers[1:], strict=False)
    )


def held_against(actual: str, stated: str) -> str:
    """Whether a condition holds, and which branch that leads to: ``red against blue: no, so second.``"""
    return f"{actual} against {stated}: {'yes, so first' if actual == stated else 'no, so second'}."


def _which(first: int, second: int) -> str:
    return "neither" if first == second else "first" if first < second else "second"


def versus(first: int, second: int, *, smaller_wins: bool = False) -> str:
    """Two numbers held against each other: ``2 against 3: lower, so second.``"""
    verdict = "level" if first == second else "lower" if first < second else "higher"
    winner = _which(first, second) if smaller_wins else _which(second, first)
    return f"{first} against {second}: {verdict}, so {winner}."


def _attribute_steps(subject: str, scene: Scene, style: str) -> str:
    """How the object is found whose colour or form ``objects with the color of the star`` share; nothing if plain."""
    thing = subject.partition(" of the ")[2]
    if not thing:
        return ""
    if thing.split()[0] in EXTREMES:
        return _thing(thing, scene, style) + ". "
    return _look_for(thing, scene, style) + " "


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
    if ask.kind in ("count", "sum", "if"):
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
            pair = [own, generator.choice([choice for choice in menu if choice != own])]
            generator.shuffle(pair)
            pairs.append(pair)
        return [f"{first} and {second}" for first in pairs[0] for second in pairs[1]]
    raise NotAskable(f"no choices for {ask.kind}")


def lettered(menu: list[str]) -> str:
    """``(A) red (B) blue (C) green (D) black``"""
    return " ".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, menu, strict=True))


def conclusion(answer: str, menu: list[str] | None) -> str:
    """The last sentence of every thought; without choices there is no letter."""
    return f"Answer: {answer}." if menu is None else f"Answer: {answer} ({LETTERS[menu.index(answer)]})."
