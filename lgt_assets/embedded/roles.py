"""What each role is shown and what it should reply: the training examples of the embedded model. Free of torch.

The ``*_text`` functions write exactly what the templates of ``lgt_assets/prompts/embedded`` render (a test compares
them); they exist because training makes thousands of examples a minute.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from lgt_assets.embedded.grammar import (
    COMPOSITION_KINDS,
    QUESTION_TYPES,
    Ask,
    NotAskable,
    bridge,
    find,
    join,
    phrase,
    question_type,
    resolve,
)
from lgt_assets.embedded.sampling import ask_text, composed_ask, draw_focus, focused_ask, seed_ask
from lgt_assets.embedded.scenes import COLORS, SHAPES, SIZES, RADIUS, Scene, SceneObject, caption, generate_scene
from lgt_assets.embedded.thoughts import GIVEN, LETTERS, SEEN, choices_for, conclusion, following, lettered, listing, record, steps

CUES = ("Wait,", "Hmm,", "Alternatively,", "Let's double-check the details.")
ROLES = ("questioner", "composer", "vlm", "reasoner", "verifier")
FORMATS = {"letter": "Answer with the letter.", "letter_text": "Answer with letter and text."}
_OPENINGS = {
    "Wait,": (" let me look at every object again: {}.", " I should check this once more."),
    "Hmm,": (" let me go through the objects again: {}.", " I am not sure about this."),
    "Alternatively,": (" I can start from the objects: {}.", " I can work it out step by step."),
    "Let's double-check the details.": (" Every object once more: {}.", " Step by step."),
}
_WRONG = ("I was wrong.", "That was a mistake.", "My first answer was wrong.")
_RIGHT = ("I was right.", "That agrees.", "My first answer holds.")


@dataclass(frozen=True)
class Example:
    """One exchange: the user's text, how the reply begins when that is given (not learnt), and the reply to learn.

    ``variables`` are what the role's template renders ``user`` from.
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
        return self.role == "vlm"


def described(items: tuple[SceneObject, ...]) -> list[dict]:
    """Objects as templates take them: label, phrase, box and its area in pixels."""
    return [
        {
            "label": item.shape,
            "phrase": item.phrase,
            "box": list(item.box),
            "pixels": (item.box[2] - item.box[0]) * (item.box[3] - item.box[1]),
        }
        for item in items
    ]


def _facts(scene: Scene, seed: int) -> str:
    return f"Caption: {caption(scene, seed)}\nObjects: {listing(scene.objects, GIVEN)}.\n"


def questioner_text(scene: Scene, caption_seed: int, focus: tuple, kind: str) -> str:
    """The questioner's request for a question of type ``kind`` about the focus objects."""
    named = "all" if len(focus) == len(scene.objects) else "; ".join(item.phrase for item in focus)
    return f"{_facts(scene, caption_seed)}Focus: {named}.\nWrite a {kind} question."


def composer_text(parents: list[tuple[str, list[str], str]], kind: str) -> str:
    """The composer's request; a parent is (question, choices, answer)."""
    lines = [
        f"Question {i}: {question} {lettered(menu)} {conclusion(answer, menu)}\n"
        for i, (question, menu, answer) in enumerate(parents, 1)
    ]
    return f"{''.join(lines)}Compose one {kind} question."


def vlm_text(question: str, menu: list[str], answer_format: str) -> str:
    """The VLM's request, which follows the picture."""
    return f"Question: {question}\n{lettered(menu)}\n{FORMATS[answer_format]}"


def reasoner_text(scene: Scene, caption_seed: int, question: str, menu: list[str], answer_format: str) -> str:
    """The reasoner's request."""
    return f"{_facts(scene, caption_seed)}Question: {question}\n{lettered(menu)}\nThink again. {FORMATS[answer_format]}"


def verifier_text(facts: str, known: list[tuple[str, str]], question: str, menu: list[str] | None) -> str:
    """The verifier's request; ``facts`` are whole lines, ``known`` pairs of question and answer."""
    lines = "".join(f"Known: {asked} {answer}\n" for asked, answer in known)
    ending = "Answer in a few words." if menu is None else "Answer with the letter."
    options = "" if menu is None else lettered(menu) + "\n"
    return f"{facts}{lines}Question: {question}\n{options}Use only these facts. {ending}"


def final(answer: str, menu: list[str] | None, answer_format: str) -> str:
    """``<answer>(B)</answer>``, with the text if asked for, the text alone without choices."""
    if menu is None:
        return f"<answer>{answer}</answer>"
    letter = f"({LETTERS[menu.index(answer)]})"
    return f"<answer>{letter}</answer>" if answer_format == "letter" else f"<answer>{letter} {answer}</answer>"


def written(question: str, menu: list[str], answer: str, kind: str) -> str:
    """A multiple-choice question in the markup of the writers."""
    return (
        f"<question>{question}</question><choices>{lettered(menu)}</choices>{final(answer, menu, 'letter')}<type>{kind}</type>"
    )


def draw_ask(scene: Scene, generator: random.Random) -> Ask:
    """Any question, a third of them composed."""
    if generator.random() < 0.36:
        return composed_ask(generator.choice(COMPOSITION_KINDS), scene, generator)[1]
    return seed_ask(generator.choice(tuple(QUESTION_TYPES)), scene, generator)


def _shuffled_choices(ask: Ask, scene: Scene, generator: random.Random) -> list[str]:
    menu = choices_for(ask, resolve(ask, scene), scene, generator)
    generator.shuffle(menu)
    return menu


def questioner_example(scene: Scene, generator: random.Random) -> Example:
    """A request for a question of a random type and focus, and a valid reply."""
    kind = generator.choice(tuple(QUESTION_TYPES))
    focus = draw_focus(kind, scene, generator)
    ask = focused_ask(kind, focus, scene, generator)
    answer = resolve(ask, scene)
    menu = choices_for(ask, answer, scene, generator)
    thought = steps(ask, scene, GIVEN)
    if kind == "Recognition":
        # It must first find out by which attribute the object is unique.
        item = focus[0]
        subjects = {"color": Ask("count", (f"{item.shape}s".replace("crosss", "crosses"),)), "shape": Ask("count", (f"{item.color} objects",))}
        counted = subjects[ask.kind]
        other = "shape" if ask.kind == "color" else "color"
        if resolve(subjects[other], scene) != "1" and generator.random() < 0.5:
            counted = subjects[other]
        thought = f"{steps(counted, scene, GIVEN)} {thought}"
    reply = f"<think> {thought} So {answer}. Choices: {lettered(menu)}. {conclusion(answer, menu)} </think>"
    seed = generator.randrange(1000)
    reply += written(phrase(ask, generator), menu, answer, kind)
    shown = {"caption": caption(scene, seed), "objects": described(scene.objects), "focus": described(focus)}
    text = questioner_text(scene, seed, focus, kind)
    return Example("questioner", scene, shown | {"question_type": kind}, text, "", reply, ask, tuple(menu), answer)


def composition_steps(kind: str, parents: tuple[Ask, Ask], composed: Ask, scene: Scene) -> str:
    """What follows from the parents' answers alone."""
    answers = [resolve(parent, scene) for parent in parents]
    if kind == "intersect":
        return f"First {answers[0]}. Second {answers[1]}."
    if kind == "bridge":
        subject = composed.slots[-1].partition(" of the ")[2] or next(
            slot for slot in composed.slots if slot.endswith(" object")
        )
        start = 0 if _starts(parents[0], parents[1], scene) else 1
        return f"The {subject} is {answers[start]}, which gives {answers[1 - start]}."
    counts = " ".join(f"Number of {parent.slots[0]}: {answer}." for parent, answer in zip(parents, answers, strict=True))
    if kind == "compare":
        return counts
    return f"{counts} {answers[0]} plus {answers[1]} is {resolve(composed, scene)}."


def _starts(first: Ask, second: Ask, scene: Scene) -> bool:
    return bridge((ask_text(first), resolve(first, scene)), (ask_text(second), resolve(second, scene))) is not None


def composer_example(scene: Scene, generator: random.Random) -> Example:
    """Two seed questions as the questioner writes them, and the question composed of them."""
    kind = generator.choice(COMPOSITION_KINDS)
    parents, composed = composed_ask(kind, scene, generator)
    asked = []
    for parent in parents:
        answer = resolve(parent, scene)
        # Shuffled, as stored questions are.
        asked.append((phrase(parent, generator), _shuffled_choices(parent, scene, generator), answer))
    answer = resolve(composed, scene)
    menu = composed_choices(kind, composed, asked, answer, generator)
    question = join(asked[0][0], asked[1][0]) if kind == "intersect" else phrase(composed, generator)
    thought = f"{composition_steps(kind, parents, composed, scene)} So {answer}. Choices: {lettered(menu)}."
    reply = f"<think> {thought} {conclusion(answer, menu)} </think>{written(question, menu, answer, 'Multi-hop')}"
    shown = {
        "caption": caption(scene, 0),
        "objects": described(scene.objects),
        "parents": [
            {"question": question, "choices": own, "answer_index": own.index(answer), "answer": answer}
            for question, own, answer in asked
        ],
        "composition_kind": kind,
    }
    return Example("composer", scene, shown, composer_text(asked, kind), "", reply, composed, tuple(menu), answer)


def composed_choices(kind: str, composed: Ask, parents: list, answer: str, generator: random.Random) -> list[str]:
    """The choices of a composed question, from those of its parents where they have what is needed."""
    if kind == "bridge":
        links = bridge((parents[0][0], parents[0][2]), (parents[1][0], parents[1][2])) is not None
        return list(parents[1 if links else 0][1])
    if kind == "intersect":
        pairs = []
        for _, menu, own in parents:
            pair = [own, following(menu, own)]
            generator.shuffle(pair)
            pairs.append(pair)
        return [f"{first} and {second}" for first in pairs[0] for second in pairs[1]]
    return choices_for(composed, answer, generate_scene(0), generator)


def vlm_example(scene: Scene, generator: random.Random, ask: Ask | None = None) -> Example:
    """A question about the picture, any unless one is given."""
    ask = ask or draw_ask(scene, generator)
    menu, answer = _shuffled_choices(ask, scene, generator), resolve(ask, scene)
    answer_format = generator.choice(tuple(FORMATS))
    question = phrase(ask, generator)
    shown = {"question": question, "choices": menu, "answer_format": answer_format}
    text = vlm_text(question, menu, answer_format)
    reply = f"<think> {vlm_thought(ask, scene, scene, menu, answer)} </think>{final(answer, menu, answer_format)}"
    return Example("vlm", scene, shown, text, "", reply, ask, tuple(menu), answer)


def vlm_thought(ask: Ask, listed: Scene, reasoned: Scene, menu: list[str], answer: str) -> str:
    """What the VLM writes when it sees ``listed`` and reasons about ``reasoned``: the same unless it slips."""
    end = conclusion(answer, menu) if answer in menu else f"Answer: {answer} ({LETTERS[len(answer) % 4]})."
    return f"I see {listing(listed.objects, SEEN)}. {steps(ask, reasoned, SEEN)} {end}"


def misperceive(scene: Scene, generator: random.Random) -> Scene:
    """The scene with one object mistaken in colour, form, size or place, or overlooked."""
    objects = list(scene.objects)
    at = generator.randrange(len(objects))
    item = objects[at]
    error = generator.choice(("color", "shape", "size", "place", "missing"))
    if error == "missing" and len(objects) > 2:
        del objects[at]
    elif error == "place":
        shift = (generator.choice((-20, 20)), generator.choice((-20, 0, 20)))
        shift = shift if generator.random() < 0.5 else shift[::-1]
        x, y = (min(210, max(30, value + offset)) for value, offset in zip(item.center, shift, strict=True))
        radius = RADIUS[item.size]
        objects[at] = replace(item, box=(x - radius, y - radius, x + radius, y + radius))
    elif error == "size":
        size = SIZES[item.size == "small"]
        (x, y), radius = item.center, RADIUS[size]
        objects[at] = replace(item, size=size, box=(x - radius, y - radius, x + radius, y + radius))
    else:
        ring = SHAPES if error == "shape" else COLORS
        name = "shape" if error == "shape" else "color"
        objects[at] = replace(item, **{name: generator.choice([value for value in ring if value != getattr(item, name)])})
    return Scene(scene.seed, tuple(objects))


def first_thought(ask: Ask, scene: Scene, menu: list[str], generator: random.Random) -> tuple[str, str]:
    """A thought as the VLM writes it, right or with a slip, and the choice it ends with (or what is none)."""
    answer = resolve(ask, scene)
    error = generator.choices(("none", "perception", "reading", "conclusion"), (0.45, 0.3, 0.1, 0.15))[0]
    if error in ("perception", "reading"):
        for _ in range(6):
            other = misperceive(scene, generator)
            try:
                wrong = resolve(ask, other)
                return vlm_thought(ask, other if error == "perception" else scene, other, menu, wrong), wrong
            except NotAskable:
                continue
        error = "conclusion"
    if error == "conclusion":
        wrong = generator.choice([choice for choice in menu if choice != answer])
        return vlm_thought(ask, scene, scene, menu, wrong), wrong
    return vlm_thought(ask, scene, scene, menu, answer), answer


def reasoner_example(scene: Scene, generator: random.Random) -> Example:
    """A thought of the VLM and a cue to continue after; the facts are at hand."""
    ask = draw_ask(scene, generator)
    menu, answer = _shuffled_choices(ask, scene, generator), resolve(ask, scene)
    answer_format = generator.choice(tuple(FORMATS))
    thought, _ = first_thought(ask, scene, menu, generator)
    before, now = thought[-4:-1], f"({LETTERS[menu.index(answer)]})"
    cue = generator.choice(CUES)
    opening = _OPENINGS[cue][generator.random() < 0.6].format(listing(scene.objects, GIVEN))
    verdict = generator.choice(_RIGHT if before == now else _WRONG)
    reply = (
        f"{opening} {steps(ask, scene, GIVEN)} Now I get {answer} {now}; before I said {before}. {verdict} "
        f"{conclusion(answer, menu)} </think>{final(answer, menu, answer_format)}"
    )
    seed, question = generator.randrange(1000), phrase(ask, generator)
    shown = {"caption": caption(scene, seed), "objects": described(scene.objects), "question": question, "choices": menu}
    text = reasoner_text(scene, seed, question, menu, answer_format)
    return Example("reasoner", scene, shown | {"answer_format": answer_format}, text, f"<think> {thought} {cue}", reply, ask, tuple(menu), answer)


def verifier_example(scene: Scene, generator: random.Random) -> Example:
    """A question to answer from objects, from known answers alone, or from too little."""
    case = generator.choices(("objects", "known", "partial", "nothing", "caption"), (0.52, 0.26, 0.1, 0.07, 0.05))[0]
    seed = generator.randrange(1000)
    facts = f"Objects: {listing(scene.objects, GIVEN)}.\n"
    with_caption = f"Caption: {caption(scene, seed)}\n"
    if case in ("known", "partial") or (case != "caption" and generator.random() < 0.15):
        kind = generator.choice(COMPOSITION_KINDS)
        parents, ask = composed_ask(kind, scene, generator)
        known = [(phrase(parent, generator), resolve(parent, scene)) for parent in parents]
        question = _composed_phrase(kind, known, ask, generator)
    else:
        kind, parents, ask, known = "", (), draw_ask(scene, generator), []
        while case == "caption" and ask.kind not in ("color", "shape"):
            ask = seed_ask("Recognition", scene, generator)
        question = phrase(ask, generator)
    answer = resolve(ask, scene)
    menu = _shuffled_choices(ask, scene, generator) if generator.random() < 0.6 else None
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
        facts, thought = "", "I cannot know this, so I guess."
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


def _composed_phrase(kind: str, known: list[tuple[str, str]], ask: Ask, generator: random.Random) -> str:
    return join(known[0][0], known[1][0]) if kind == "intersect" else phrase(ask, generator)


_MAKERS = {
    "questioner": questioner_example,
    "composer": composer_example,
    "vlm": vlm_example,
    "reasoner": reasoner_example,
    "verifier": verifier_example,
}


def make_example(role: str, scene: Scene, generator: random.Random) -> Example:
    """A training example of a role. Raises KeyError for an unknown role."""
    if role != "vlm" and generator.random() < 0.2:
        # Facts may come in any order; pictures are always read row by row.
        scene = replace(scene, objects=tuple(generator.sample(scene.objects, len(scene.objects))))
    while True:
        try:
            return _MAKERS[role](scene, generator)
        except NotAskable:
            continue


def practice_example(scene: Scene, generator: random.Random, count: int = 5) -> list[tuple[str, bool]]:
    """Many short questions about one list of objects, as pieces of text and whether each is learnt: reasoning, dense."""
    style = generator.choice((SEEN, GIVEN))
    pieces = [(f"Objects: {listing(scene.objects, style)}.\n", False)]
    while len(pieces) < 2 * count:
        ask = draw_ask(scene, generator)
        menu = _shuffled_choices(ask, scene, generator) if generator.random() < 0.5 else None
        shown = "" if menu is None else lettered(menu) + "\n"
        pieces.append((f"Question: {phrase(ask, generator)}\n{shown}", False))
        pieces.append((f"<think> {steps(ask, scene, style)} {conclusion(resolve(ask, scene), menu)} </think>", True))
    return pieces
