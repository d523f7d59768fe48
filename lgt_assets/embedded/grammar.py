"""The questions one can ask about a scene: their types, their true answers, and how they compose.

An ``Ask`` is a question's meaning, read from its text by ``wordings.parse``; ``resolve`` finds its true answer in a
scene. All of this makes training texts and judges what the model wrote; nothing here answers for the model. Free of torch.
"""

from __future__ import annotations

from lgt_assets.embedded.referring import EXTREMES, PLURALS, NotAskable, direction, find, tally
from lgt_assets.embedded.scenes import Scene, position
from lgt_assets.embedded.wordings import FURTHER, JOINABLE, NEITHER, STATEMENTS, Ask, parse

QUESTION_TYPES = {
    "Recognition": ("color", "shape"),
    "Counting": ("count",),
    "Spatial": ("where", "direction", "extreme"),
    "Comparison": ("larger", "further", "more"),
}
MULTI_HOP = "Multi-hop"
COMPOSITION_KINDS = ("bridge", "compare", "intersect", "aggregate", "conditional")


def question_type(ask: Ask) -> str:
    """The type a question of this meaning is filed under; whatever needs several steps is Multi-hop."""
    indirect = any(
        " with the " in slot or slot.split()[0] in EXTREMES and slot.endswith(" object") for slot in ask.slots
    )
    if indirect or ask.kind in ("both", "sum", "if"):
        return MULTI_HOP
    return next(name for name, kinds in QUESTION_TYPES.items() if ask.kind in kinds)


def resolve(ask: Ask, scene: Scene) -> str:
    """The true answer in a scene. Raises NotAskable if what it asks about is absent or ambiguous."""
    kind, slots = ask.kind, ask.slots
    if kind == "both":
        return " and ".join(resolve(part, scene) for part in ask.parts)
    if kind == "if":
        return resolve(taken(ask, scene), scene)
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
        if kind == "sum":
            return str(sum(tally(slot, scene) for slot in slots))
        first, second = (tally(slot, scene) for slot in slots)
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


def taken(ask: Ask, scene: Scene) -> Ask:
    """The branch of a conditional question that its condition leads to."""
    condition, first, second = ask.parts
    return first if resolve(condition, scene) == ask.slots[0] else second


def true_answer(question: str, scene: Scene) -> str:
    """The true answer to a question's text. Raises NotAskable if it cannot be read or has no single answer."""
    return resolve(parse(question), scene)


def true_key(question: str, choices: list[str], answer_index: int, scene: Scene) -> bool:
    """Whether a written question's key is its true answer in the scene it was written about.

    Raises NotAskable if the question cannot be read or has no single answer there, so that nothing can be said of its key.
    """
    return choices[answer_index] == true_answer(question, scene)


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


def bridge_two_ends(parents: list[tuple[str, str]]) -> Ask | None:
    """Two questions for extremes and one about the two objects they lead to, as one question; None if they do not link.

    Arguments as for ``bridge``, in any order. ``Which object is leftmost?`` red star + ``Which object is lowest?`` blue
    cross + ``Where is the red star relative to the blue cross?`` gives ``Where is the leftmost object relative to the
    lowest object?``
    """
    asks = [parse(question) for question, _ in parents]
    ends = {
        answer: f"{ask.slots[0]} object"
        for ask, (_, answer) in zip(asks, parents, strict=True)
        if ask.kind == "extreme"
    }
    others = [ask for ask in asks if ask.kind in ("direction", "larger", "further")]
    if len(others) != 1 or len(ends) != 2 or set(others[0].slots[-2:]) != set(ends):
        return None
    return Ask(others[0].kind, tuple(ends.get(slot, slot) for slot in others[0].slots))


def composition_kinds(parents: list[tuple[str, str]]) -> list[str]:
    """The kinds of composition the composer knows for 2 to 4 seed questions, each (question, answer), in a fixed order.

    ``bridge`` if one of two leads to the other, or two of three to what the third is about; ``aggregate`` for counts of
    different things; of two, ``compare`` for such counts, ``intersect`` for different questions with one-word answers and
    ``conditional`` for a count and something to state. Empty for all else, questions of other grammars too.
    """
    if not 2 <= len(parents) <= 4:
        return []
    try:
        asks = [parse(question) for question, _ in parents]
    except NotAskable:
        return []
    if len(set(asks)) < len(asks) or any(question_type(ask) == MULTI_HOP for ask in asks):
        return []
    counts = sum(ask.kind == "count" for ask in asks)
    allowed = {"aggregate": counts == len(asks)}
    if len(parents) == 2:
        allowed |= {
            "bridge": bool(bridge(*parents) or bridge(parents[1], parents[0])),
            "compare": counts == 2,
            "intersect": all(ask.kind in JOINABLE for ask in asks),
            "conditional": counts == 1 and any(ask.kind in STATEMENTS for ask in asks),
        }
    if len(parents) == 3:
        allowed["bridge"] = bridge_two_ends(parents) is not None
    return [kind for kind in ("bridge", "aggregate", "compare", "intersect", "conditional") if allowed.get(kind)]
