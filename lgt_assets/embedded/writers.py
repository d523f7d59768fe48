"""What the question writer and the composer are shown and should reply. Free of torch."""

from __future__ import annotations

import random

from lgt_assets.embedded.examples import Example, shuffled_choices
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, MULTI_HOP, QUESTION_TYPES, bridge, resolve
from lgt_assets.embedded.prompt_texts import composer_text, described, questioner_text, written
from lgt_assets.embedded.referring import PLURALS
from lgt_assets.embedded.sampling import ask_text, composed_ask, draw_focus, focused_ask
from lgt_assets.embedded.scenes import Scene, caption, generate_scene
from lgt_assets.embedded.thoughts import GIVEN, added, choices_for, conclusion, held_against, lettered, steps, versus
from lgt_assets.embedded.wordings import Ask, join, join_conditional, parse, phrase

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


def composition_steps(kind: str, parents: tuple[Ask, ...], composed: Ask, scene: Scene) -> str:
    """What follows from the parents' answers alone."""
    answers = [resolve(parent, scene) for parent in parents]
    told = " ".join(
        f"{number} {answer}." for number, answer in zip(("First", "Second", "Third"), answers, strict=False)
    )
    if kind == "intersect":
        return told
    if kind == "conditional":
        condition = parents.index(composed.parts[0])
        return f"{told} {held_against(answers[condition], composed.slots[0])}"
    if kind == "bridge":
        return f"{told} {_replacement(parents, answers, composed)}"
    counts = " ".join(
        f"Number of {parent.slots[0]}: {answer}." for parent, answer in zip(parents, answers, strict=True)
    )
    numbers = [int(answer) for answer in answers]
    return f"{counts} {versus(*numbers) if kind == 'compare' else added(numbers)}"


def _replacement(parents: tuple[Ask, ...], answers: list[str], composed: Ask) -> str:
    """What the words of a bridge stand for: ``The leftmost object is red star, which gives top-left.``"""
    if len(parents) == 3:
        ends = {f"{ask.slots[0]} object": answer for ask, answer in zip(parents, answers, strict=True)}
        first, second = (f"the {slot} is {ends[slot]}" for slot in composed.slots[-2:])
        last = next(answer for ask, answer in zip(parents, answers, strict=True) if ask.kind != "extreme")
        return f"T{first[1:]}, {second}, which gives {last}."
    thing = composed.slots[-1].partition(" of the ")[2] or next(
        slot for slot in composed.slots if slot.endswith(" object")
    )
    texts = [(ask_text(parent), answer) for parent, answer in zip(parents, answers, strict=True)]
    start = 0 if bridge(texts[0], texts[1]) else 1
    return f"The {thing} is {answers[start]}, which gives {answers[1 - start]}."


def composer_example(scene: Scene, generator: random.Random) -> Example:
    """Seed questions as the pipeline shows them, and the question composed of them."""
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
    """The wording of a composed question; all but sums and comparisons keep their parents' words."""
    if kind == "intersect":
        return join(questions[0], questions[1])
    if kind == "conditional":
        return _conditional_question(questions, composed)
    if kind == "bridge":
        for question in questions:
            ask = parse(question)
            changed = [(old, new) for old, new in zip(ask.slots, composed.slots, strict=False) if old != new]
            if ask.kind == composed.kind and changed and all(" object" in new or " of " in new for _, new in changed):
                for old, new in changed:
                    question = question.replace(old, new, 1)
                return question
    return phrase(composed, generator)


def _conditional_question(questions: list[str], composed: Ask) -> str:
    """Both branches in the words of the parent that counts."""
    counting = next(question for question in questions if parse(question).kind == "count")
    subject = parse(counting).slots[0]
    return join_conditional(composed, *(counting.replace(subject, part.slots[0], 1) for part in composed.parts[1:]))


def composed_choices(
    kind: str, composed: Ask, parents: list[Shown], answer: str, generator: random.Random
) -> list[str]:
    """The choices of a composed question, from those of its parents where they have what is needed."""
    if kind == "bridge":
        if len(parents) == 3:
            return next(list(menu) for question, menu, _ in parents if parse(question).kind == composed.kind)
        links = bridge((parents[0][0], parents[0][2]), (parents[1][0], parents[1][2])) is not None
        return list(parents[1 if links else 0][1])
    if kind == "conditional":
        return next(list(menu) for question, menu, _ in parents if parse(question).kind == "count")
    if kind == "intersect":
        # The answer comes first, or a greedy writer names it twice; whoever shows the question shuffles its choices.
        pairs = [(own, generator.choice([choice for choice in menu if choice != own])) for _, menu, own in parents]
        return [f"{first} and {second}" for first in pairs[0] for second in pairs[1]]
    # Sums and comparisons of counts need no scene for their choices.
    return choices_for(composed, answer, generate_scene(0), generator)
