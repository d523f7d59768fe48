"""What the VLM, the reasoner and the verifier are shown and should reply. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.examples import Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, Ask, find, phrase, resolve
from lgt_assets.embedded.prompt_texts import (
    FORMATS,
    caption_line,
    described,
    final,
    objects_line,
    reasoner_text,
    verifier_text,
    vlm_text,
)
from lgt_assets.embedded.sampling import composed_ask, seed_ask
from lgt_assets.embedded.scenes import Scene, caption
from lgt_assets.embedded.slips import first_thought, vlm_thought
from lgt_assets.embedded.thoughts import GIVEN, LETTERS, choices_for, conclusion, listing, steps
from lgt_assets.embedded.writers import composed_question, composition_steps

CUES = ("Wait,", "Hmm,", "Alternatively,", "Let's double-check the details.")
# How a reasoner goes on after each cue, with all objects again: a thought may have misread them.
OPENINGS = {
    "Wait,": (" let me look at every object again: {}.", " I should check this once more: {}."),
    "Hmm,": (" let me go through the objects again: {}.", " I am not sure about this, so again: {}."),
    "Alternatively,": (" I can start from the objects: {}.", " I can work it out step by step: {}."),
    "Let's double-check the details.": (" Every object once more: {}.", " Step by step: {}."),
}
WRONG = ("I was wrong.", "That was a mistake.", "My first answer was wrong.")
RIGHT = ("I was right.", "That agrees.", "My first answer holds.")
# What the verifier is given: all objects, the parents' answers, one of these, nothing, the caption.
VERIFIER_CASES = {"objects": 0.52, "known": 0.26, "partial": 0.1, "nothing": 0.07, "caption": 0.05}
CANNOT_KNOW = "I cannot know this, so I guess."


def vlm_example(scene: Scene, generator: random.Random, ask: Ask | None = None) -> Example:
    """A question about the picture, any unless one is given."""
    ask = ask or draw_ask(scene, generator)
    menu, answer = shuffled_choices(ask, scene, generator), resolve(ask, scene)
    answer_format = generator.choice(tuple(FORMATS))
    question = phrase(ask, generator)
    shown = {"question": question, "choices": menu, "answer_format": answer_format}
    text = vlm_text(question, menu, answer_format)
    reply = f"<think> {vlm_thought(ask, scene, scene, menu, answer)} </think>{final(answer, menu, answer_format)}"
    return Example("vlm", scene, shown, text, "", reply, ask, tuple(menu), answer)


def reasoner_example(scene: Scene, generator: random.Random) -> Example:
    """A thought of the VLM and a cue to continue after; the facts are at hand."""
    ask = draw_ask(scene, generator)
    menu, answer = shuffled_choices(ask, scene, generator), resolve(ask, scene)
    answer_format = generator.choice(tuple(FORMATS))
    thought = first_thought(ask, scene, menu, generator)
    before, now = thought[-4:-1], f"({LETTERS[menu.index(answer)]})"
    cue = generator.choice(CUES)
    opening = generator.choice(OPENINGS[cue]).format(listing(scene.objects, GIVEN))
    verdict = generator.choice(RIGHT if before == now else WRONG)
    reply = (
        f"{opening} {steps(ask, scene, GIVEN)} Now I get {answer} {now}; before I said {before}. {verdict} "
        f"{conclusion(answer, menu)} </think>{final(answer, menu, answer_format)}"
    )
    seed, question = generator.randrange(1000), phrase(ask, generator)
    shown = {
        "caption": caption(scene, seed),
        "objects": described(scene.objects),
        "question": question,
        "choices": menu,
        "answer_format": answer_format,
    }
    text, prefix = reasoner_text(scene, seed, question, menu, answer_format), f"<think> {thought} {cue}"
    return Example("reasoner", scene, shown, text, prefix, reply, ask, tuple(menu), answer)


def verifier_example(scene: Scene, generator: random.Random) -> Example:
    """A question to answer from objects, from known answers alone, or from too little."""
    case = generator.choices(tuple(VERIFIER_CASES), tuple(VERIFIER_CASES.values()))[0]
    seed = generator.randrange(1000)
    with_caption, facts = caption_line(scene, seed), objects_line(scene)
    kind, parents, known = "", (), []
    if case in ("known", "partial") or (case != "caption" and generator.random() < 0.15):
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
    menu = shuffled_choices(ask, scene, generator) if generator.random() < 0.6 else None
    if case == "objects":
        facts = with_caption + facts if generator.random() < 0.5 else facts
        thought = steps(ask, scene, GIVEN)
    elif case == "caption":
        facts, known = with_caption, []
        thing = ask.slots[0] if ask.kind == "color" else f"{ask.slots[0]} object"
        thought = f"The {thing} is a {find(thing, scene).phrase}."
    elif case == "known":
        facts = with_caption if generator.random() < 0.4 else ""
        thought = composition_steps(kind, parents, ask, scene)
    else:
        facts, thought = "", CANNOT_KNOW
        known = [generator.choice(known)] if case == "partial" else []
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
