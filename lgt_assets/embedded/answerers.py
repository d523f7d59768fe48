"""What the VLM and the reasoner are shown and should reply. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.examples import Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import resolve
from lgt_assets.embedded.prompt_texts import FORMATS, described, final, open_text, reasoner_text, vlm_text
from lgt_assets.embedded.scenes import Scene, caption
from lgt_assets.embedded.slips import first_thought, vlm_thought
from lgt_assets.embedded.thoughts import GIVEN, LETTERS, SEEN, conclusion, listing, steps
from lgt_assets.embedded.wordings import Ask, phrase

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


def open_example(scene: Scene, generator: random.Random) -> Example:
    """A question about the picture without choices."""
    ask = draw_ask(scene, generator)
    question, answer = phrase(ask, generator), resolve(ask, scene)
    shown = {"question": question, "verification": "number" if answer.isdigit() else "exact_text"}
    thought = f"I see {listing(scene.objects, SEEN)}. {steps(ask, scene, SEEN)} {conclusion(answer, None)}"
    reply = f"<think> {thought} </think>{final(answer, None, 'letter_text')}"
    return Example("open", scene, shown, open_text(**shown), "", reply, ask, None, answer)


def reasoner_example(scene: Scene, generator: random.Random) -> Example:
    """A thought of the VLM and a cue to continue after; the facts are at hand."""
    ask = draw_ask(scene, generator)
    menu, answer = shuffled_choices(ask, scene, generator), resolve(ask, scene)
    answer_format = generator.choice(tuple(FORMATS))
    thought = first_thought(ask, scene, menu, generator)
    cue = generator.choice(CUES)
    opening, body, verdict = second_thought(ask, scene, menu, thought, cue, generator)
    reply = f"{opening} {body} {verdict} {conclusion(answer, menu)} </think>{final(answer, menu, answer_format)}"
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


def second_thought(
    ask: Ask, scene: Scene, menu: list[str], thought: str, cue: str, generator: random.Random
) -> tuple[str, str, str]:
    """How a thought goes on after a cue: the opening with all objects, the steps, and the verdict on the first answer."""
    answer, before = resolve(ask, scene), thought[-4:-1]
    now = f"({LETTERS[menu.index(answer)]})"
    opening = generator.choice(OPENINGS[cue]).format(listing(scene.objects, GIVEN))
    body = f"{steps(ask, scene, GIVEN)} Now I get {answer} {now}; before I said {before}."
    return opening, body, generator.choice(RIGHT if before == now else WRONG)
