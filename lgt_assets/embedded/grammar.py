"""The questions one can ask about a scene: their wording, their meaning and their true answer.

An ``Ask`` is a question's meaning. ``phrase`` words it, ``parse`` reads it back from any of its wordings, and
``resolve`` finds its true answer in a scene. All of this makes training texts and judges what the model wrote; nothing
here answers for the model. Free of torch.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from lgt_assets.embedded.scenes import COLORS, SHAPES, SIZES, Scene, SceneObject, position
from lgt_assets.errors import LgtError


class NotAskable(LgtError):
    """The question has no meaning in this grammar, or no single true answer in this scene."""


@dataclass(frozen=True)
class Ask:
    """A question's meaning: its kind and what fills the slots of its wordings."""

    kind: str
    slots: tuple[str, ...] = ()
    parts: tuple[Ask, ...] = ()


QUESTION_TYPES = {
    "Recognition": ("color", "shape"),
    "Counting": ("count",),
    "Spatial": ("where", "direction", "extreme"),
    "Comparison": ("larger", "further", "more"),
}
MULTI_HOP = "Multi-hop"
COMPOSITION_KINDS = ("bridge", "compare", "intersect", "aggregate")
PLURALS = {shape: "crosses" if shape == "cross" else shape + "s" for shape in SHAPES}
SINGULARS = {plural: shape for shape, plural in PLURALS.items()}
EXTREMES = ("leftmost", "rightmost", "topmost", "lowest")
FURTHER = ("further left", "further right", "higher", "lower")
DIRECTIONS = ("above", "upper-right", "right", "lower-right", "below", "lower-left", "left", "upper-left")
NEITHER, CANNOT_TELL, NONE_OF_THEM = "neither", "cannot tell", "none of them"
TEMPLATES = {
    "color": ("What color is the {}?", "What is the color of the {}?", "Which color does the {} have?"),
    "shape": ("What shape is the {} object?", "What is the shape of the {} object?", "Which shape does the {} object have?"),
    "count": ("How many {} are there?", "How many {} can you see?", "What is the number of {}?"),
    "where": ("Where is the {}?", "In which part of the picture is the {}?"),
    "direction": ("Where is the {} relative to the {}?", "In which direction is the {} from the {}?"),
    "extreme": ("Which object is {}?", "What is the {} object?"),
    "larger": ("Which is larger, the {} or the {}?", "Which object is bigger, the {} or the {}?"),
    "further": ("Which is {}, the {} or the {}?", "Which object is {}, the {} or the {}?"),
    "more": ("Are there more {} or more {}?", "What are there more of, {} or {}?"),
    "sum": (
        "What is the number of {} plus the number of {}?",
        "What do you get if you add the number of {} to the number of {}?",
    ),
}  # fmt: skip
_COLOR, _SHAPE, _EXTREME = "|".join(COLORS), "|".join(SHAPES), "|".join(EXTREMES)
_THING = f"(?:{_COLOR}) (?:{_SHAPE})|(?:{_EXTREME}) object"
_PLAIN_SUBJECT = f"{'|'.join(SINGULARS)}|(?:{_COLOR}|{'|'.join(SIZES)}) objects|objects"
_SUBJECT = f"objects with the (?:color|shape) of the (?:{_SHAPE}|(?:{_COLOR}|{_EXTREME}) object)|{_PLAIN_SUBJECT}"
_SLOTS = {
    "color": (_SHAPE,), "shape": (_COLOR,), "count": (_SUBJECT,), "where": (_THING,), "direction": (_THING, _THING),
    "extreme": (_EXTREME,), "larger": (_THING, _THING), "further": ("|".join(FURTHER), _THING, _THING),
    "more": (_PLAIN_SUBJECT, _PLAIN_SUBJECT), "sum": (_PLAIN_SUBJECT, _PLAIN_SUBJECT),
}  # fmt: skip
_PATTERNS = [
    (kind, re.compile(re.escape(template).replace(r"\{\}", "({})").format(*_SLOTS[kind])))
    for kind, templates in TEMPLATES.items()
    for template in templates
]
# Kinds whose answer is one word, so that two of them still make a short choice.
JOINABLE = ("color", "shape", "count", "where", "direction")


def phrase(ask: Ask, generator: random.Random) -> str:
    """One of the wordings of a question; ``both`` joins the wordings of its two parts."""
    if ask.kind == "both":
        first, second = (phrase(part, generator) for part in ask.parts)
        return join(first, second)
    return generator.choice(TEMPLATES[ask.kind]).format(*ask.slots)


def join(first: str, second: str) -> str:
    """Two questions as one: ``What color is the star, and how many circles are there?``"""
    return f"{first[:-1]}, and {second[0].lower()}{second[1:]}"


def parse(question: str) -> Ask:
    """The meaning of a question in any of its wordings. Raises NotAskable if it is none of them."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(question)
        if match:
            return Ask(kind, match.groups())
    first, separator, second = question.partition(", and ")
    if separator and second:
        parts = (parse(first + "?"), parse(second[0].upper() + second[1:]))
        if all(part.kind in JOINABLE for part in parts):
            return Ask("both", parts=parts)
    raise NotAskable(f"not a question of this grammar: {question!r}")


def question_type(ask: Ask) -> str:
    """The type a question of this meaning is filed under; whatever needs several steps is Multi-hop."""
    indirect = any(
        " with the " in slot or slot.split()[0] in EXTREMES and slot.endswith(" object") for slot in ask.slots
    )
    if indirect or ask.kind in ("both", "sum"):
        return MULTI_HOP
    return next(name for name, kinds in QUESTION_TYPES.items() if ask.kind in kinds)


def only(objects: list[SceneObject], what: str) -> SceneObject:
    """The single object of a list. Raises NotAskable if there is none or more than one."""
    if len(objects) != 1:
        raise NotAskable(f"{len(objects)} objects are the {what}")
    return objects[0]


def find(thing: str, scene: Scene) -> SceneObject:
    """The object meant by a form, a colour, a name or an extreme: ``star``, ``red object``, ``red star``, ``lowest object``."""
    first, _, rest = thing.partition(" ")
    if first in EXTREMES:
        axis, sign = ((0, 1), (0, -1), (1, 1), (1, -1))[EXTREMES.index(first)]
        return min(scene.objects, key=lambda item: sign * item.center[axis])
    if thing in SHAPES:
        return only([item for item in scene.objects if item.shape == thing], thing)
    if rest == "object":
        return only([item for item in scene.objects if item.color == first], thing)
    return only([item for item in scene.objects if item.name == thing], thing)


def plain_subject(subject: str, scene: Scene) -> str:
    """``objects with the color of the star`` as ``red objects``; a plain subject as it is."""
    prefix, separator, thing = subject.partition(" of the ")
    if not separator:
        return subject
    item = find(thing, scene)
    return f"{item.color} objects" if prefix.endswith("color") else PLURALS[item.shape]


def belongs(item: SceneObject, subject: str) -> bool:
    """Whether an object is one of the ``circles``, ``red objects``, ``small objects`` or ``objects``."""
    if subject in SINGULARS:
        return item.shape == SINGULARS[subject]
    return subject == "objects" or subject.removesuffix(" objects") in (item.color, item.size)


def tally(subject: str, scene: Scene) -> int:
    """How many objects of a scene belong to a subject."""
    plain = plain_subject(subject, scene)
    return sum(belongs(item, plain) for item in scene.objects)


def direction(first: SceneObject, second: SceneObject) -> str:
    """Where the first object's centre lies from the second's; an offset of one grid step or less does not count."""
    x, y = (a - b for a, b in zip(first.center, second.center, strict=True))
    across = "" if abs(x) <= 20 else "left" if x < 0 else "right"
    along = "" if abs(y) <= 20 else "upper" if y < 0 else "lower"
    if along and across:
        return f"{along}-{across}"
    if not along and not across:
        raise NotAskable("the two objects stand on one spot")
    return across or {"upper": "above", "lower": "below"}[along]


def resolve(ask: Ask, scene: Scene) -> str:
    """The true answer in a scene. Raises NotAskable if what it asks about is absent or ambiguous."""
    kind, slots = ask.kind, ask.slots
    if kind == "both":
        return " and ".join(resolve(part, scene) for part in ask.parts)
    if kind == "color":
        return find(slots[0], scene).color
    if kind == "shape":
        return find(f"{slots[0]} object", scene).shape
    if kind == "count":
        return str(tally(slots[0], scene))
    if kind == "where":
        return position(find(slots[0], scene))
    if kind == "extreme":
        return find(f"{slots[0]} object", scene).name
    if kind in ("more", "sum"):
        first, second = (tally(slot, scene) for slot in slots)
        if kind == "sum":
            return str(first + second)
        return slots[0] if first > second else slots[1] if second > first else NEITHER
    first, second = (find(slot, scene) for slot in slots[-2:])
    if first == second:
        raise NotAskable("an object is compared with itself")
    if kind == "direction":
        return direction(first, second)
    if kind == "larger":
        return NEITHER if first.size == second.size else (first if first.size == "large" else second).name
    axis, sign = ((0, 1), (0, -1), (1, 1), (1, -1))[FURTHER.index(slots[0])]
    return min((first, second), key=lambda item: sign * item.center[axis]).name


def true_answer(question: str, scene: Scene) -> str:
    """The true answer to a question's text. Raises NotAskable if it cannot be read or has no single answer."""
    return resolve(parse(question), scene)


def bridge(first: tuple[str, str], second: tuple[str, str]) -> Ask | None:
    """The second question with what it is about replaced by the first one's wording of it; None if they do not link.

    Each argument is (question, answer). ``What color is the star?`` red + ``How many red objects are there?`` gives
    ``How many objects with the color of the star are there?``; ``Which object is leftmost?`` red star + ``Where is the
    red star?`` gives ``Where is the leftmost object?``
    """
    asked, ask, answer = parse(first[0]), parse(second[0]), first[1]
    if ask.kind == "count" and asked.kind in ("color", "shape", "extreme"):
        color, _, shape = answer.partition(" ") if asked.kind == "extreme" else (answer, "", answer)
        thing = {"color": "{}", "shape": "{} object", "extreme": "{} object"}[asked.kind].format(*asked.slots)
        if asked.kind != "shape" and ask.slots[0] == f"{color} objects":
            return Ask("count", (f"objects with the color of the {thing}",))
        if asked.kind != "color" and ask.slots[0] == PLURALS.get(shape):
            return Ask("count", (f"objects with the shape of the {thing}",))
    if asked.kind == "extreme" and ask.kind in ("where", "direction", "larger", "further") and answer in ask.slots:
        return Ask(ask.kind, tuple(f"{asked.slots[0]} object" if slot == answer else slot for slot in ask.slots))
    return None


def composition_kinds(parents: list[tuple[str, str]]) -> list[str]:
    """The kinds of composition the composer knows for two seed questions, each (question, answer), in this order.

    ``bridge`` if one leads to the other, ``aggregate`` and ``compare`` for two counts of different things,
    ``intersect`` for two different questions with one-word answers. Empty for all else, questions of other grammars too.
    """
    if len(parents) != 2:
        return []
    try:
        asks = [parse(question) for question, _ in parents]
    except NotAskable:
        return []
    if asks[0] == asks[1] or any(question_type(ask) == MULTI_HOP for ask in asks):
        return []
    kinds = []
    if bridge(*parents) or bridge(parents[1], parents[0]):
        kinds.append("bridge")
    if all(ask.kind == "count" for ask in asks):
        kinds += ["aggregate", "compare"]
    if all(ask.kind in JOINABLE for ask in asks):
        kinds.append("intersect")
    return kinds
