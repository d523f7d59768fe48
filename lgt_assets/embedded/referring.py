"""What the words of a question refer to in a scene: single objects, sets of objects, directions. Free of torch."""

from __future__ import annotations

from lgt_assets.embedded.scenes import SHAPES, Scene, SceneObject
from lgt_assets.errors import LgtError

PLURALS = {shape: "crosses" if shape == "cross" else shape + "s" for shape in SHAPES}
SINGULARS = {plural: shape for shape, plural in PLURALS.items()}
EXTREMES = ("leftmost", "rightmost", "topmost", "lowest")
DIRECTIONS = ("above", "upper-right", "right", "lower-right", "below", "lower-left", "left", "upper-left")


class NotAskable(LgtError):
    """The question has no meaning in this grammar, or no single true answer in this scene."""


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
