"""What the verifier is shown when it answers a question from facts, and what it should reply. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.examples import Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, resolve
from lgt_assets.embedded.prompt_texts import caption_line, described, final, objects_line, verifier_text
from lgt_assets.embedded.referring import find
from lgt_assets.embedded.sampling import composed_ask, seed_ask
from lgt_assets.embedded.scenes import Scene, caption
from lgt_assets.embedded.thoughts import GIVEN, choices_for, conclusion, steps
from lgt_assets.embedded.wordings import Ask, phrase
from lgt_assets.embedded.writers import composed_question, composition_steps

# What it is given: all objects, the answers of all parents, of all but one, of the wrong ones, nothing, the caption.
VERIFIER_CASES = {"objects": 0.44, "known": 0.28, "partial": 0.12, "wrong": 0.06, "nothing": 0.06, "caption": 0.04}
CANNOT_KNOW = "I cannot know this, so I guess."
# Question and answer.
Known = list[tuple[str, str]]


def verifier_example(scene: Scene, generator: random.Random, case: str | None = None) -> Example:
    """A question to answer from objects, from known answers alone, or from too little: a drawn case unless one is given."""
    case = case or generator.choices(tuple(VERIFIER_CASES), tuple(VERIFIER_CASES.values()))[0]
    seed = generator.randrange(1000)
    with_caption, facts = caption_line(scene, seed), objects_line(scene)
    known: Known = []
    if case in ("known", "partial", "wrong") or (case != "caption" and generator.random() < 0.15):
        kind = generator.choice(COMPOSITION_KINDS)
        parents, ask = composed_ask(kind, scene, generator)
        known = [(phrase(parent, generator), resolve(parent, scene)) for parent in parents]
        question = composed_question(kind, [text for text, _ in known], ask, generator)
    else:
        ask = draw_ask(scene, generator)
        while case == "caption" and ask.kind not in ("color", "shape"):
            ask = seed_ask("Recognition", scene, generator)
        question = phrase(ask, generator)
    answer = resolve(ask, scene)
    menu = shuffled_choices(ask, scene, generator) if generator.random() < 0.7 else None
    if case == "objects":
        facts = with_caption + facts if generator.random() < 0.5 else facts
        thought = steps(ask, scene, GIVEN)
    elif case == "caption":
        facts = with_caption
        thing = ask.slots[0] if ask.kind == "color" else f"{ask.slots[0]} object"
        thought = f"The {thing} is a {find(thing, scene).phrase}."
    elif case == "known":
        facts = with_caption if generator.random() < 0.6 else ""
        thought = composition_steps(kind, parents, ask, scene)
    else:
        facts, thought = "", CANNOT_KNOW
        known = too_little(case, known, parents, scene, generator) if case != "nothing" else []
        guesses = menu or choices_for(ask, answer, scene, generator)
        answer = generator.choice([guess for guess in guesses if not guess.startswith("cannot")])
    shown = {
        "caption": caption(scene, seed) if "Caption" in facts else None,
        "objects": described(scene.objects) if "Objects" in facts else None,
        "known": [{"question": asked, "answer": told} for asked, told in known],
        "question": question,
        "choices": menu,
    }
    text = verifier_text(facts, known, question, menu)
    reply = f"<think> {thought} {conclusion(answer, menu)} </think>{final(answer, menu, 'letter')}"
    return Example("verifier", scene, shown, text, "", reply, ask, None if menu is None else tuple(menu), answer)


def too_little(case: str, known: Known, parents: tuple[Ask, ...], scene: Scene, generator: random.Random) -> Known:
    """All known answers but one (``partial``), or with that one replaced by the answer to something else (``wrong``)."""
    at = generator.randrange(len(known))
    if case == "partial":
        return known[:at] + known[at + 1 :]
    other = seed_ask("Counting", scene, generator)
    while other in parents:
        other = seed_ask("Counting", scene, generator)
    return [*known[:at], (phrase(other, generator), resolve(other, scene)), *known[at + 1 :]]
