"""The training examples of the embedded model, by role, and practice in reasoning alone. Free of torch."""

from __future__ import annotations

import random
from dataclasses import replace

from lgt_assets.embedded.answerers import reasoner_example, verifier_example, vlm_example
from lgt_assets.embedded.examples import Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import NotAskable, phrase, resolve
from lgt_assets.embedded.scenes import Scene
from lgt_assets.embedded.thoughts import GIVEN, SEEN, conclusion, lettered, listing, steps
from lgt_assets.embedded.writers import composer_example, questioner_example

_MAKERS = {
    "questioner": questioner_example,
    "composer": composer_example,
    "vlm": vlm_example,
    "reasoner": reasoner_example,
    "verifier": verifier_example,
}
ROLES = tuple(_MAKERS)
SHUFFLED_SHARE = 0.2


def make_example(role: str, scene: Scene, generator: random.Random) -> Example:
    """A training example of a role. Raises KeyError for an unknown role."""
    maker = _MAKERS[role]
    if role != "vlm" and generator.random() < SHUFFLED_SHARE:
        # Facts may come in any order; pictures are always read row by row.
        scene = replace(scene, objects=tuple(generator.sample(scene.objects, len(scene.objects))))
    while True:
        try:
            return maker(scene, generator)
        except NotAskable:
            # Two objects on one spot of a misread scene have no direction; another draw will do.
            continue


def practice_example(scene: Scene, generator: random.Random, count: int = 5) -> list[tuple[str, bool]]:
    """Many short questions about one list of objects, as pieces of text and whether each is learnt: reasoning, dense."""
    style = generator.choice((SEEN, GIVEN))
    pieces = [(f"Objects: {listing(scene.objects, style)}.\n", False)]
    while len(pieces) < 2 * count:
        ask = draw_ask(scene, generator)
        menu = shuffled_choices(ask, scene, generator) if generator.random() < 0.5 else None
        shown = "" if menu is None else lettered(menu) + "\n"
        pieces.append((f"Question: {phrase(ask, generator)}\n{shown}", False))
        pieces.append((f"<think> {steps(ask, scene, style)} {conclusion(resolve(ask, scene), menu)} </think>", True))
    return pieces
