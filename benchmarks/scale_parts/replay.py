"""The replay engine: it answers every role at once, as the embedded model was taught to, by rule and without a model.

A reply follows from the request alone: its text, its pictures' names and its seed. Like the model it errs now and then, guesses
where it cannot know, and writes questions that the checks reject; what is measured is the platform around it.
"""

import random
import re
import time
from collections.abc import Iterable, Iterator

from benchmarks.scale_parts.scenes import scene_shown, scenes_by_caption
from lgt_assets.embedded.answerers import CUES, second_thought
from lgt_assets.embedded.grammar import MULTI_HOP, bridge, bridge_two_ends, resolve
from lgt_assets.embedded.judges import NO_CHOICE, behaviours_of
from lgt_assets.embedded.prompt_texts import final, written
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.sampling import another_count, focused_ask
from lgt_assets.embedded.scenes import Scene
from lgt_assets.embedded.slips import first_thought
from lgt_assets.embedded.thoughts import GIVEN, LETTERS, choices_for, conclusion, lettered, steps
from lgt_assets.embedded.verdicts import CANNOT_KNOW
from lgt_assets.embedded.wordings import STATEMENTS, Ask, parse, phrase
from lgt_assets.embedded.writers import Shown, composed_choices, composed_question
from lgt_assets.engines.base import Completion, ModelIdentity, Request, request_key

_CHOICES = re.compile(r"\(A\) (.+?) \(B\) (.+?) \(C\) (.+?) \(D\) (.+?)(?: Answer: (.+) \([A-D]\)\.)?$")
_STATED = re.compile(r"Answer: (.+?) \(([A-D])\)\.")
_WRITE = re.compile(r"Write a (.+) question\.")
_COMPOSE = re.compile(r"Compose one (.+) question\.")


class ReplayEngine:
    """Answers each request as soon as it is asked; see :class:`lgt_assets.engines.base.Engine`.

    ``answered`` counts completions, ``seconds`` is processor time spent on writing them.
    """

    kind = "replay"

    def __init__(self) -> None:
        self.identity = ModelIdentity("replay", "1")
        self.answered, self.seconds = 0, 0.0

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """One completion a request, in order."""
        for request in requests:
            started = time.thread_time()
            text = reply(request)
            self.seconds += time.thread_time() - started
            self.answered += 1
            prompt = sum(len(message.text) for message in request.messages)
            yield Completion(request_key(self.identity, request), text, "stop", prompt // 4, 0, len(text) // 4, 0.0)

    def close(self) -> None:
        """Nothing to free."""


def reply(request: Request) -> str:
    """What the model would write, by the request's last line: each role's template ends in its own."""
    text, generator = request.messages[-1].text, random.Random(request.seed)
    body, _, wanted = text.rpartition("\n")
    if wanted.startswith("Write"):
        return _question(_facts(body), _WRITE.fullmatch(wanted)[1], generator)
    if wanted.startswith("Compose"):
        return _composition(body.split("\n"), _COMPOSE.fullmatch(wanted)[1], generator)
    if wanted.startswith("Which of"):
        return f"<answer>{', '.join(behaviours_of(body.removeprefix('Thought: '))) or 'none'}</answer>"
    if wanted.endswith("or none."):
        return _reading(body)
    if wanted.startswith("Think again"):
        return _second(_facts(body), request.prefix, _format(wanted), generator)
    if wanted.startswith("Use only"):
        return _verdict(_facts(body), generator)
    return _first(_facts(body), scene_shown(request.messages[-1].images[0].uri), _format(wanted), generator)


def _facts(body: str) -> dict[str, str]:
    """Lines by what they begin with; the choices, which have no name, as ``(A)``."""
    lines = (line.split(" ", 1) for line in body.split("\n") if line)
    return {name.rstrip(":"): rest for name, rest in lines}


def _menu(facts: dict[str, str]) -> list[str]:
    return list(_CHOICES.fullmatch(f"(A) {facts['(A)']}").groups()[:4])


def _format(wanted: str) -> str:
    return "letter" if wanted.endswith("the letter.") else "letter_text"


def _question(facts: dict[str, str], question_type: str, generator: random.Random) -> str:
    scene = scenes_by_caption()[facts["Caption"]]
    named = facts["Focus"].removesuffix(".").split("; ")
    focus = scene.objects if named == ["all"] else tuple(item for item in scene.objects if item.phrase in named)
    ask = focused_ask(question_type, focus, scene, generator)
    try:
        answer = resolve(ask, scene)
    except NotAskable as error:  # as the model, which then writes something that cannot be parsed
        return f"<think> {error} </think>"
    menu = choices_for(ask, answer, scene, generator)
    thought = f"{steps(ask, scene, GIVEN)} So {answer}. Choices: {lettered(menu)}. {conclusion(answer, menu)}"
    return f"<think> {thought} </think>{written(phrase(ask, generator), menu, answer, question_type)}"


def _composition(lines: list[str], kind: str, generator: random.Random) -> str:
    parents: list[Shown] = []
    for line in lines:
        question, rest = line.split(": ", 1)[1].split("? ", 1)
        *menu, answer = _CHOICES.fullmatch(rest).groups()
        parents.append((f"{question}?", menu, answer))
    composed, answer = _composed(kind, [(question, told) for question, _menu, told in parents], generator)
    menu = composed_choices(kind, composed, parents, answer, generator)
    question = composed_question(kind, [text for text, _menu, _told in parents], composed, generator)
    told = " ".join(f"{told}." for _question, _menu, told in parents)
    thought = f"{told} So {answer}. Choices: {lettered(menu)}. {conclusion(answer, menu)}"
    return f"<think> {thought} </think>{written(question, menu, answer, MULTI_HOP)}"


def _composed(kind: str, parents: list[tuple[str, str]], generator: random.Random) -> tuple[Ask, str]:
    """The question composed of (question, answer) pairs, and its answer."""
    asks = [parse(question) for question, _ in parents]
    answers = [answer for _, answer in parents]
    if kind == "bridge" and len(parents) == 3:
        last = next(n for n, ask in enumerate(asks) if ask.kind != "extreme")
        return bridge_two_ends(parents), answers[last]
    if kind == "bridge":
        forward = bridge(parents[0], parents[1])
        return (forward, answers[1]) if forward else (bridge(parents[1], parents[0]), answers[0])
    if kind == "intersect":
        return Ask("both", parts=tuple(asks)), " and ".join(answers)
    slots = tuple(slot for ask in asks for slot in ask.slots)
    if kind == "aggregate":
        return Ask("sum", slots), str(sum(map(int, answers)))
    if kind == "compare":
        first, second = map(int, answers)
        return Ask("more", slots), slots[0] if first > second else slots[1] if second > first else "neither"
    at = next(n for n, ask in enumerate(asks) if ask.kind in STATEMENTS)
    condition, counted = asks[at], asks[1 - at]
    return Ask("if", (answers[at],), (condition, counted, another_count(counted, generator))), answers[1 - at]


def _verdict(facts: dict[str, str], generator: random.Random) -> str:
    """The truth where caption or objects are told, else a guess."""
    menu = _menu(facts)
    if "Caption" in facts:
        scene, ask = scenes_by_caption()[facts["Caption"]], parse(facts["Question"])
        answer = resolve(ask, scene)
        thought = steps(ask, scene, GIVEN)
    else:
        answer, thought = generator.choice(menu), CANNOT_KNOW
    answer = answer if answer in menu else generator.choice(menu)
    return f"<think> {thought} {conclusion(answer, menu)} </think>{final(answer, menu, 'letter')}"


def _first(facts: dict[str, str], scene: Scene, answer_format: str, generator: random.Random) -> str:
    menu = _menu(facts)
    thought = first_thought(parse(facts["Question"]), scene, menu, generator)
    told = menu[LETTERS.index(thought[-3])]
    return f"<think> {thought} </think>{final(told, menu, answer_format)}"


def _second(facts: dict[str, str], prefix: str, answer_format: str, generator: random.Random) -> str:
    menu, scene = _menu(facts), scenes_by_caption()[facts["Caption"]]
    cue = next(cue for cue in CUES if prefix.endswith(cue))
    thought, ask = prefix.removesuffix(f" {cue}"), parse(facts["Question"])
    opening, body, verdict = second_thought(ask, scene, menu, thought, cue, generator)
    answer = resolve(ask, scene)
    end = f"{conclusion(answer, menu)} </think>{final(answer, menu, answer_format)}"
    return f"{opening} {body} {verdict} {end}"


def _reading(body: str) -> str:
    stated = _STATED.findall(body)
    if not stated:
        return f"<think> Answer: {NO_CHOICE}. </think><answer>{NO_CHOICE}</answer>"
    answer, letter = stated[-1]
    return f"<think> Answer: {answer} ({letter}). </think><answer>({letter})</answer>"
