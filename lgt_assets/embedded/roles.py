"""The training examples of the embedded model, by role, and practice in seeing alone and reasoning alone. Free of torch."""

from __future__ import annotations

import random
from dataclasses import replace

from lgt_assets.embedded.answerers import open_example, reasoner_example, vlm_example
from lgt_assets.embedded.examples import SEEING_ROLES, Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import resolve
from lgt_assets.embedded.judges import behaviours_example, consistency_example
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.sampling import composed_ask
from lgt_assets.embedded.scenes import Scene
from lgt_assets.embedded.thoughts import GIVEN, SEEN, conclusion, lettered, listing, steps
from lgt_assets.embedded.verdicts import verifier_example
from lgt_assets.embedded.wordings import phrase
from lgt_assets.embedded.writers import composer_example, questioner_example

_MAKERS = {
    "questioner": questioner_example,
    "composer": composer_example,
    "vlm": vlm_example,
    "open": open_example,
    "reasoner": reasoner_example,
    "verifier": verifier_example,
    "consistency": consistency_example,
    "behaviours": behaviours_example,
}
# Templates: the VLM has two, with choices and open, and the verifier three.
ROLES = tuple(_MAKERS)
SHUFFLED_SHARE = 0.2
# Choices of two parts are the hardest to tell apart.
INTERSECT_SHARE = 0.3


def make_example(role: str, scene: Scene, generator: random.Random) -> Example:
    """A training example of a role. Raises KeyError for an unknown role."""
    maker = _MAKERS[role]
    if role not in SEEING_ROLES and generator.random() < SHUFFLED_SHARE:
        # Facts may come in any order; pictures are always read row by row.
        scene = replace(scene, objects=tuple(generator.sample(scene.objects, len(scene.objects))))
    while True:
        try:
            return maker(scene, generator)
        except NotAskable:
            # Two objects on one spot of a misread scene have no direction; another draw will do.
            continue


def listing_example(scene: Scene, generator: random.Random) -> Example:
    """What the VLM is shown, and the beginning of its reply: all objects with their places. To see, and not yet to reason."""
    return replace(make_example("vlm", scene, generator), reply=f"<think> I see {listing(scene.objects, SEEN)}.")


def practice_example(scene: Scene, generator: random.Random, count: int = 5) -> list[tuple[str, bool]]:
    """Many short questions about one list of objects, as pieces of text and whether each is learnt: reasoning, dense."""
    style = generator.choice((SEEN, GIVEN))
    pieces = [(f"Objects: {listing(scene.objects, style)}.\n", False)]
    while len(pieces) < 2 * count:
        intersects = generator.random() < INTERSECT_SHARE
        ask = composed_ask("intersect", scene, generator)[1] if intersects else draw_ask(scene, generator)
        menu = shuffled_choices(ask, scene, generator) if intersects or generator.random() < 0.5 else None
        shown = "" if menu is None else lettered(menu) + "\n"
        pieces.append((f"Question: {phrase(ask, generator)}\n{shown}", False))
        pieces.append((f"<think> {steps(ask, scene, style)} {conclusion(resolve(ask, scene), menu)} </think>", True))
    return pieces
