"""One training or examination exchange, and the questions these draw. Free of torch."""

from __future__ import annotations

import random
from dataclasses import dataclass

from lgt_assets.embedded.grammar import COMPOSITION_KINDS, QUESTION_TYPES, resolve
from lgt_assets.embedded.sampling import composed_ask, seed_ask
from lgt_assets.embedded.scenes import Scene
from lgt_assets.embedded.thoughts import choices_for
from lgt_assets.embedded.wordings import Ask

COMPOSED_SHARE = 0.42
# Roles whose request follows a picture.
SEEING_ROLES = ("vlm", "open")


@dataclass(frozen=True)
class Example:
    """One exchange: the user's text, how the reply begins when that is given (not learnt), and the reply to learn.

    ``variables`` are what the role's template renders ``user`` from; ``choices`` is None where words are the answer.
    """

    role: str
    scene: Scene
    variables: dict
    user: str
    prefix: str
    reply: str
    ask: Ask
    choices: tuple[str, ...] | None
    answer: str

    @property
    def sees_picture(self) -> bool:
        """Whether the scene's picture stands before the user's text."""
        return self.role in SEEING_ROLES


def draw_ask(scene: Scene, generator: random.Random) -> Ask:
    """Any question, many of them composed."""
    if generator.random() < COMPOSED_SHARE:
        return composed_ask(generator.choice(COMPOSITION_KINDS), scene, generator)[1]
    return seed_ask(generator.choice(tuple(QUESTION_TYPES)), scene, generator)


def shuffled_choices(ask: Ask, scene: Scene, generator: random.Random) -> list[str]:
    """A question's choices in any order, as stored questions have them."""
    menu = choices_for(ask, resolve(ask, scene), scene, generator)
    generator.shuffle(menu)
    return menu
