"""How questions about a scene are worded, and how a wording is read back. Free of torch.

An ``Ask`` is a question's meaning; ``phrase`` words it and ``parse`` reads it from any of its wordings.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from lgt_assets.embedded.referring import EXTREMES, SINGULARS, NotAskable
from lgt_assets.embedded.scenes import COLORS, POSITIONS, SHAPES, SIZES


@dataclass(frozen=True)
class Ask:
    """A question's meaning: its kind and what fills the slots of its wordings."""

    kind: str
    slots: tuple[str, ...] = ()
    parts: tuple[Ask, ...] = ()


FURTHER = ("further left", "further right", "higher", "lower")
NEITHER, CANNOT_TELL, NONE_OF_THEM = "neither", "cannot tell", "none of them"
TEMPLATES = {
    "color": ("What color is the {}?", "What is the color of the {}?", "Which color does the {} have?"),
    "shape": (
        "What shape is the {} object?",
        "What is the shape of the {} object?",
        "Which shape does the {} object have?",
    ),
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
        "What is the number of {} plus the number of {} plus the number of {}?",
        "What do you get if you add the number of {}, the number of {} and the number of {}?",
        "What is the number of {} plus the number of {} plus the number of {} plus the number of {}?",
    ),
}
# An answer as a statement: what the condition of a conditional question says.
STATEMENTS = {
    "color": "the {} is {}",
    "shape": "the {} object is a {}",
    "where": "the {} is at the {}",
    "extreme": "the {} object is the {}",
}
_COLOR, _SHAPE, _EXTREME = "|".join(COLORS), "|".join(SHAPES), "|".join(EXTREMES)
_THING = f"(?:{_COLOR}) (?:{_SHAPE})|(?:{_EXTREME}) object"
_PLAIN_SUBJECT = f"{'|'.join(SINGULARS)}|(?:{_COLOR}|{'|'.join(SIZES)}) objects|objects"
_SUBJECT = f"objects with the (?:color|shape) of the (?:{_SHAPE}|(?:{_COLOR}|{_EXTREME}) object)|{_PLAIN_SUBJECT}"
_SLOTS = {
    "color": (_SHAPE,), "shape": (_COLOR,), "count": (_SUBJECT,), "where": (_THING,), "direction": (_THING, _THING),
    "extreme": (_EXTREME,), "larger": (_THING, _THING), "further": ("|".join(FURTHER), _THING, _THING),
    "more": (_PLAIN_SUBJECT, _PLAIN_SUBJECT), "sum": (_PLAIN_SUBJECT,) * 4,
}  # fmt: skip
_PATTERNS = [
    (kind, re.compile(re.escape(template).replace(r"\{\}", "({})").format(*_SLOTS[kind])))
    for kind, templates in TEMPLATES.items()
    for template in templates
]
_VALUES = {
    "color": _COLOR, "shape": _SHAPE, "where": "|".join(POSITIONS), "extreme": f"(?:{_COLOR}) (?:{_SHAPE})",
}  # fmt: skip
_STATED = [
    (kind, re.compile(text.replace("{}", "({})").format(*_SLOTS[kind], _VALUES[kind])))
    for kind, text in STATEMENTS.items()
]
_CONDITIONAL = re.compile(r"If (.+?), (.+?), and if not, (.+\?)")
# Kinds whose answer is one word, so that two of them still make a short choice.
JOINABLE = ("color", "shape", "count", "where", "direction")


def wordings(ask: Ask) -> list[str]:
    """All wordings of a question that is not made of parts."""
    return [text.format(*ask.slots) for text in TEMPLATES[ask.kind] if text.count("{}") == len(ask.slots)]


def phrase(ask: Ask, generator: random.Random) -> str:
    """One of the wordings of a question; ``both`` and ``if`` are made of the wordings of their parts."""
    if ask.kind == "both":
        first, second = (phrase(part, generator) for part in ask.parts)
        return join(first, second)
    if ask.kind == "if":
        first, second = (phrase(part, generator) for part in ask.parts[1:])
        return join_conditional(ask, first, second)
    return generator.choice(wordings(ask))


def join(first: str, second: str) -> str:
    """Two questions as one: ``What color is the star, and how many circles are there?``"""
    return f"{first[:-1]}, and {_lowered(second)}"


def join_conditional(ask: Ask, first: str, second: str) -> str:
    """``If the star is red, how many circles are there, and if not, how many squares are there?``"""
    condition = STATEMENTS[ask.parts[0].kind].format(*ask.parts[0].slots, *ask.slots)
    return f"If {condition}, {_lowered(first)[:-1]}, and if not, {_lowered(second)}"


def _lowered(question: str) -> str:
    return question[0].lower() + question[1:]


def parse(question: str) -> Ask:
    """The meaning of a question in any of its wordings. Raises NotAskable if it is none of them."""
    conditional = _CONDITIONAL.fullmatch(question)
    if conditional:
        return _parse_conditional(*conditional.groups())
    first, separator, second = question.partition(", and ")
    if separator and second:
        parts = (_parse_simple(first + "?"), _parse_simple(_raised(second)))
        if all(part.kind in JOINABLE for part in parts):
            return Ask("both", parts=parts)
    return _parse_simple(question)


def _parse_simple(question: str) -> Ask:
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(question)
        if match:
            return Ask(kind, match.groups())
    raise NotAskable(f"not a question of this grammar: {question!r}")


def _parse_conditional(condition: str, first: str, second: str) -> Ask:
    branches = (_parse_simple(_raised(first) + "?"), _parse_simple(_raised(second)))
    for kind, pattern in _STATED:
        match = pattern.fullmatch(condition)
        if match and all(branch.kind == "count" for branch in branches):
            *slots, value = match.groups()
            return Ask("if", (value,), (Ask(kind, tuple(slots)), *branches))
    raise NotAskable(f"not a condition of this grammar: {condition!r}")


def _raised(question: str) -> str:
    return question[0].upper() + question[1:]
