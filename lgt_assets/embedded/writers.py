"""What the question writer and the composer are shown and should reply. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.examples import Example, shuffled_choices
from lgt_assets.embedded.grammar import (
    COMPOSITION_KINDS,
    MULTI_HOP,
    PLURALS,
    QUESTION_TYPES,
    Ask,
    bridge,
    join,
    parse,
    phrase,
    resolve,
)
from lgt_assets.embedded.prompt_texts import composer_text, described, questioner_text, written
from lgt_assets.embedded.sampling import ask_text, composed_ask, draw_focus, focused_ask
from lgt_assets.embedded.scenes import Scene, caption, generate_scene
from lgt_assets.embedded.thoughts import GIVEN, choices_for, conclusion, lettered, steps, versus

# A parent as shown: question, choices, answer.
Shown = tuple[str, list[str], str]


def questioner_example(scene: Scene, generator: random.Random) -> Example:
    """A request for a question of a random type and focus, and a valid reply."""
    kind = generator.choice(tuple(QUESTION_TYPES))
    focus = draw_focus(kind, scene, generator)
    ask = focused_ask(kind, focus, scene, generator)
    answer = resolve(ask, scene)
    menu = choices_for(ask, answer, scene, generator)
    thought = steps(ask, scene, GIVEN)
    if kind == "Recognition":
        thought = f"{_uniqueness(ask, focus[0].shape, focus[0].color, scene, generator)} {thought}"
    reply = f"<think> {thought} So {answer}. Choices: {lettered(menu)}. {conclusion(answer, menu)} </think>"
    seed = generator.randrange(1000)
    reply += written(phrase(ask, generator), menu, answer, kind)
    shown = {"caption": caption(scene, seed), "objects": described(scene.objects), "focus": described(focus)}
    text = questioner_text(scene, seed, focus, kind)
    return Example("questioner", scene, shown | {"question_type": kind}, text, "", reply, ask, tuple(menu), answer)


def _uniqueness(ask: Ask, shape: str, color: str, scene: Scene, generator: random.Random) -> str:
    """The writer first finds out by which attribute its object is unique: it counts one, and may find many."""
    subjects = {"color": Ask("count", (PLURALS[shape],)), "shape": Ask("count", (f"{color} objects",))}
    other = "shape" if ask.kind == "color" else "color"
    fails = resolve(subjects[other], scene) != "1" and generator.random() < 0.5
    return steps(subjects[other if fails else ask.kind], scene, GIVEN)


def composition_steps(kind: str, parents: tuple[Ask, Ask], composed: Ask, scene: Scene) -> str:
    """What follows from the parents' answers alone."""
    answers = [resolve(parent, scene) for parent in parents]
    if kind == "intersect":
        return f"First {answers[0]}. Second {answers[1]}."
    if kind == "bridge":
        thing = composed.slots[-1].partition(" of the ")[2] or next(
            slot for slot in composed.slots if slot.endswith(" object")
        )
        texts = [(ask_text(parent), answer) for parent, answer in zip(parents, answers, strict=True)]
        start = 0 if bridge(texts[0], texts[1]) else 1
        both = f"First {answers[0]}. Second {answers[1]}."
        return f"{both} The {thing} is {answers[start]}, which gives {answers[1 - start]}."
    counts = " ".join(
        f"Number of {parent.slots[0]}: {answer}." for parent, answer in zip(parents, answers, strict=True)
    )
    if kind == "compare":
        return f"{counts} {versus(int(answers[0]), int(answers[1]))}"
    return f"{counts} {answers[0]} plus {answers[1]} is {resolve(composed, scene)}."


def composer_example(scene: Scene, generator: random.Random) -> Example:
    """Two seed questions as the pipeline shows them, and the question composed of them."""
    kind = generator.choice(COMPOSITION_KINDS)
    parents, composed = composed_ask(kind, scene, generator)
    asked: list[Shown] = []
    for parent in parents:
        asked.append((phrase(parent, generator), shuffled_choices(parent, scene, generator), resolve(parent, scene)))
    answer = resolve(composed, scene)
    menu = composed_choices(kind, composed, asked, answer, generator)
    question = composed_question(kind, [text for text, _, _ in asked], composed, generator)
    thought = f"{composition_steps(kind, parents, composed, scene)} So {answer}."
    thought += f" Choices{_alternatives(menu) if kind == 'intersect' else ''}: {lettered(menu)}."
    reply = f"<think> {thought} {conclusion(answer, menu)} </think>{written(question, menu, answer, MULTI_HOP)}"
    shown = {
        "caption": caption(scene, 0),
        "objects": described(scene.objects),
        "parents": [
            {"question": text, "choices": own, "answer_index": own.index(told), "answer": told}
            for text, own, told in asked
        ],
        "composition_kind": kind,
    }
    return Example("composer", scene, shown, composer_text(asked, kind), "", reply, composed, tuple(menu), answer)


def _alternatives(menu: list[str]) -> str:
    """What an intersection's choices are pairs of: `` from star or cross with 1 or 2``."""
    firsts, seconds = zip(*(choice.split(" and ") for choice in menu), strict=True)
    return f" from {firsts[0]} or {firsts[2]} with {seconds[0]} or {seconds[1]}"


def composed_question(kind: str, questions: list[str], composed: Ask, generator: random.Random) -> str:
    """The wording of a composed question; intersections and bridges keep their parents' words."""
    if kind == "intersect":
        return join(questions[0], questions[1])
    if kind == "bridge":
        for question in questions:
            ask = parse(question)
            changed = [(old, new) for old, new in zip(ask.slots, composed.slots, strict=False) if old != new]
            if (
                ask.kind == composed.kind
                and len(changed) == 1
                and any(word in changed[0][1] for word in (" object", " of "))
            ):
                return question.replace(*changed[0], 1)
    return phrase(composed, generator)


def composed_choices(
    kind: str, composed: Ask, parents: list[Shown], answer: str, generator: random.Random
) -> list[str]:
    """The choices of a composed question, from those of its parents where they have what is needed."""
    if kind == "bridge":
        links = bridge((parents[0][0], parents[0][2]), (parents[1][0], parents[1][2])) is not None
        return list(parents[1 if links else 0][1])
    if kind == "intersect":
        # The answer comes first, or a greedy writer names it twice; whoever shows the question shuffles its choices.
        pairs = [(own, generator.choice([choice for choice in menu if choice != own])) for _, menu, own in parents]
        return [f"{first} and {second}" for first in pairs[0] for second in pairs[1]]
    # Sums and comparisons of counts need no scene for their choices.
    return choices_for(composed, answer, generate_scene(0), generator)
