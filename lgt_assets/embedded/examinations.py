"""The examination papers of the embedded model: held-out scenes, and each role's questions as its template renders them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from lgt_assets.embedded.answerers import vlm_example
from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, MULTI_HOP, QUESTION_TYPES, question_type
from lgt_assets.embedded.prompt_texts import described
from lgt_assets.embedded.roles import make_example
from lgt_assets.embedded.sampling import composed_ask, seed_ask
from lgt_assets.embedded.scenes import caption, generate_scene
from lgt_assets.embedded.verdicts import CANNOT_KNOW, verifier_example
from lgt_assets.prompts.templates import prompt_set

TYPES = (*QUESTION_TYPES, MULTI_HOP)
# Training scenes have numbers from 2**32 on.
FIRST_SCENE = 1 << 30
# How many questions a text role gets, as a share of the pictures'.
SHARES = {
    "vlm": 1.0, "open": 0.1, "reasoner": 0.6, "questioner": 0.3, "composer": 0.3, "verifier": 0.4, "withheld": 0.2,
    "consistency": 0.2, "behaviours": 0.2,
}  # fmt: skip
# Which template asks for what; the others have one of their own name.
TEMPLATES = {"withheld": "verifier"}


@dataclass(frozen=True)
class Papers:
    """Examples and rendered user texts by role; the reasoner's are about the first pictures of the VLM's.

    ``withheld`` are composed questions that the verifier cannot answer: it is told all parents' answers but one.
    """

    examples: dict[str, list[Example]]
    texts: dict[str, list[str]]

    def count(self, role: str) -> int:
        """How many questions a role gets."""
        return len(self.texts[role])


def type_of(example: Example) -> str:
    """The question type an example is filed under."""
    return question_type(example.ask)


def _picture_example(kind: str, number: int, generator: random.Random) -> Example:
    scene = generate_scene(FIRST_SCENE + number)
    if kind == MULTI_HOP:
        # A comparison of two counts reads like a simple one; it is filed under Comparison.
        ask = composed_ask(
            generator.choice([name for name in COMPOSITION_KINDS if name != "compare"]), scene, generator
        )[1]
    else:
        ask = seed_ask(kind, scene, generator)
    return vlm_example(scene, generator, ask)


def papers(n: int, seed: int) -> Papers:
    """``n`` questions about pictures, equally many of each type, and as many for the text roles as SHARES says."""
    prompts, generator = prompt_set("embedded"), random.Random(f"papers-{seed}")
    start = seed * 10_000_000
    examples = {"vlm": [_picture_example(TYPES[i % len(TYPES)], start + i, generator) for i in range(n)]}
    examples["reasoner"] = examples["vlm"][: int(n * SHARES["reasoner"])]
    for role in [role for role in SHARES if role not in examples]:
        start += 1_000_000
        examples[role] = []
        while len(examples[role]) < int(n * SHARES[role]):
            scene = generate_scene(FIRST_SCENE + start + len(examples[role]))
            if role == "withheld":
                example = verifier_example(scene, generator, "partial")
            else:
                example = make_example(role, scene, generator)
            # Elsewhere, what cannot be known has no right answer.
            if example.choices if role == "withheld" else CANNOT_KNOW not in example.reply:
                examples[role].append(example)
    variables = {role: [example.variables for example in rows] for role, rows in examples.items()}
    variables["reasoner"] = [
        example.variables | {"caption": caption(example.scene, i), "objects": described(example.scene.objects)}
        for i, example in enumerate(examples["reasoner"])
    ]
    texts = {
        role: [prompts.messages(TEMPLATES.get(role, role), **shown)[0].text for shown in rows]
        for role, rows in variables.items()
    }
    return Papers(examples, texts)
