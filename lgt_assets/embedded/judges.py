"""What the verifier is shown when it reads thoughts: which choice they come to, and what they do. Free of torch."""

from __future__ import annotations

import random
from dataclasses import dataclass

from lgt_assets.embedded.answerers import CUES, RIGHT, second_thought
from lgt_assets.embedded.examples import Example, draw_ask, shuffled_choices
from lgt_assets.embedded.grammar import resolve
from lgt_assets.embedded.prompt_texts import behaviours_text, consistency_text, final
from lgt_assets.embedded.scenes import Scene
from lgt_assets.embedded.slips import first_thought
from lgt_assets.embedded.thoughts import conclusion
from lgt_assets.embedded.wordings import Ask, phrase

BEHAVIOURS = ("subgoal_setting", "backtracking", "verification")
NO_CHOICE = "none"
EXPANDED_SHARE = 0.4
# How many first answers are drawn anew; the rest err as the VLM does.
WRONG_SHARE = 0.5
# What a thought ends with in the consistency examples: its own conclusion, another choice, or no choice at all.
ENDINGS = {"own": 0.4, "other": 0.35, "cut": 0.25}
_AIMS = ("Count the ", "Find the ", "Look for ")
_LOOKING_AGAIN = ("again:", "once more", "double-check")


@dataclass(frozen=True)
class Thought:
    """A thought in pieces: up to its first answer, that answer, and if it was continued the cue and what follows it."""

    question: str
    choices: list[str]
    ask: Ask
    start: str
    first_answer: str
    cue: str = ""
    opening: str = ""
    body: str = ""
    verdict: str = ""
    last_answer: str = ""

    @property
    def before_the_end(self) -> str:
        """All but the last statement of an answer."""
        if not self.cue:
            return self.start
        return f"{self.start} {self.first_answer} {self.cue}{self.opening} {self.body} {self.verdict}"


def draw_thought(scene: Scene, generator: random.Random, expanded: bool) -> Thought:
    """A thought about any question that ends with one of its choices, continued after a cue if wanted."""
    while True:
        ask = draw_ask(scene, generator)
        menu = shuffled_choices(ask, scene, generator)
        start, _, told = first_thought(ask, scene, menu, generator).rpartition(" Answer: ")
        if generator.random() < WRONG_SHARE:
            told = conclusion(generator.choice(menu), menu).removeprefix("Answer: ")
        if told[:-5] in menu:
            break
    question = phrase(ask, generator)
    if not expanded:
        return Thought(question, menu, ask, start, f"Answer: {told}")
    cue = generator.choice(CUES)
    parts = second_thought(ask, scene, menu, told, cue, generator)
    last = conclusion(resolve(ask, scene), menu)
    return Thought(question, menu, ask, start, f"Answer: {told}", cue, *parts, last)


def consistency_example(scene: Scene, generator: random.Random) -> Example:
    """A thought whose end is to be read, whatever is true: its own answer, another choice, or none since it was cut."""
    thought = draw_thought(scene, generator, generator.random() < EXPANDED_SHARE)
    ending = generator.choices(tuple(ENDINGS), tuple(ENDINGS.values()))[0]
    answer: str | None = (thought.last_answer or thought.first_answer).removeprefix("Answer: ")[:-5]
    if ending == "other":
        answer = generator.choice([choice for choice in thought.choices if choice != answer])
    text = f"{thought.before_the_end} {conclusion(answer, thought.choices)}"
    if ending == "cut":
        answer, text = None, _cut(thought, generator)
    shown = {"question": thought.question, "choices": thought.choices, "thought": text}
    user = consistency_text(thought.question, thought.choices, text)
    if answer is None:
        reply, answer = f"<think> Answer: {NO_CHOICE}. </think><answer>{NO_CHOICE}</answer>", NO_CHOICE
    else:
        reply = f"<think> {conclusion(answer, thought.choices)} </think>{final(answer, thought.choices, 'letter')}"
    return Example("consistency", scene, shown, user, "", reply, thought.ask, tuple(thought.choices), answer)


def _cut(thought: Thought, generator: random.Random) -> str:
    """The thought up to some word before it comes to its last answer; after a cue it has taken back its first one."""
    words = thought.start.split(" ")
    if not thought.cue:
        return thought.start if generator.random() < 0.3 else " ".join(words[: generator.randint(1, len(words))])
    steps = thought.body.partition(" Now I get ")[0]
    words = f"{thought.opening} {steps}".split(" ")
    kept = " ".join(words[: generator.randint(1, len(words))])
    return f"{thought.start} {thought.first_answer} {thought.cue}{kept}".rstrip()


def behaviours_example(scene: Scene, generator: random.Random) -> Example:
    """A thought, simple or continued, whole or without one of its pieces, and which behaviours it shows."""
    thought = draw_thought(scene, generator, generator.random() < 0.65)
    pieces = [thought.start, thought.first_answer]
    if thought.cue:
        shortened = generator.random()
        opening, body = thought.opening, thought.body
        if shortened < 0.2:
            # Taken back, or held to, without another look.
            opening, body = "", body[body.index("Now I get ") :]
        elif shortened < 0.4:
            pieces[0] = pieces[0].partition(". ")[0] + "."
            body = body[body.index("Now I get ") :]
        pieces += [f"{thought.cue}{opening}", body, thought.verdict, thought.last_answer]
    text = " ".join(pieces)
    labels = behaviours_of(text)
    answer = ", ".join(labels) if labels else "none"
    reply = f"<answer>{answer}</answer>"
    return Example("behaviours", scene, {"thought": text}, behaviours_text(text), "", reply, thought.ask, None, answer)


def behaviours_of(thought: str) -> list[str]:
    """Which behaviours a thought of this grammar shows: only such thoughts can be told by their words.

    It sets subgoals if it says what it will work out, backtracks if it takes its first answer back, and verifies if it
    looks again or holds to what it said (Gandhi et al. 2025 name the behaviours).
    """
    shown = {
        "subgoal_setting": any(words in thought for words in _AIMS),
        "backtracking": "wrong" in thought or "mistake" in thought,
        "verification": any(words in thought for words in (*_LOOKING_AGAIN, *RIGHT)),
    }
    return [name for name in BEHAVIOURS if shown[name]]
