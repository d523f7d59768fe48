"""Training batches, each a function of the seed, the role and a running number, so that a resumed run sees the same."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from lgt_assets.embedded.network import VISUAL_TOKENS
from lgt_assets.embedded.roles import listing_example, make_example, practice_example
from lgt_assets.embedded.scenes import Scene, generate_scene
from lgt_assets.embedded.tokenizer import OPENING, SPECIAL_TOKENS, TAGS, TURN

TOKENS_PER_BATCH = 1536
BATCHES_PER_CHUNK = 6
TYPICAL_LENGTH = {
    "questioner": 230, "composer": 180, "vlm": 178, "open": 155, "reasoner": 370, "verifier": 155, "consistency": 215,
    "behaviours": 225, "practice": 480, "listing": 128,
}  # fmt: skip
# What is trained besides the roles.
PRACTICE, LISTING = "practice", "listing"
DECISION = re.compile(r"\([A-D]\)|\u0120(?:#?\d+\)?|yes|no)")
# Held-out scenes have numbers below this, training scenes at or above it.
FIRST_TRAINING_SCENE = 1 << 32


@dataclass(frozen=True)
class Batch:
    """Token ids (rows, length), which of them are learnt (rows, length), and the pictures' scenes if any."""

    ids: Tensor
    learnt: Tensor
    scenes: list[Scene] | None


class BatchSource:
    """Batches of examples by role and number, and of copying drills."""

    def __init__(self, tokenizer, seed: int) -> None:
        self._seed = seed
        self._backend = tokenizer._tokenizer
        token = tokenizer.convert_tokens_to_ids
        image = [token("<|image_pad|>")] * VISUAL_TOKENS
        self._opening = self._encode(OPENING)
        self._picture = [token("<|vision_start|>"), *image, token("<|vision_end|>")]
        self._end = token("<|im_end|>")
        self.letters = [token(f"({letter})") for letter in "ABCD"]
        # Letters, verdicts, numbers of records, tallies and coordinates in running text: where a thought is decided.
        self.decisions = [i for word, i in tokenizer.get_vocab().items() if DECISION.fullmatch(word)]
        self._blank, self._line = self._encode(" (A)")[0], self._encode("\n")[0]
        self._words = list(range(len(SPECIAL_TOKENS) + 256, len(tokenizer) - len(TAGS)))
        self.picture_start = len(self._opening) + 1
        self._chunks: dict[str, tuple[int, list[Batch]]] = {}

    def _encode(self, text: str) -> list[int]:
        return self._backend.encode(text, add_special_tokens=False).ids

    def batch(self, role: str, number: int) -> Batch:
        """The batch of a role with this number; examples of like length stand together."""
        chunk, at = divmod(number, BATCHES_PER_CHUNK)
        if self._chunks.get(role, (-1, []))[0] != chunk:
            self._chunks[role] = (chunk, self._make_chunk(role, chunk))
        return self._chunks[role][1][at]

    def _make_chunk(self, role: str, chunk: int) -> list[Batch]:
        generator = random.Random(f"batch-{self._seed}-{role}-{chunk}")
        rows = max(2, TOKENS_PER_BATCH // TYPICAL_LENGTH[role])
        examples = [self._example(role, generator) for _ in range(rows * BATCHES_PER_CHUNK)]
        examples.sort(key=lambda example: len(example[0]))
        batches = [_padded(examples[i : i + rows]) for i in range(0, len(examples), rows)]
        generator.shuffle(batches)
        return batches

    def _example(self, role: str, generator: random.Random) -> tuple[list[int], list[int], Scene | None]:
        scene = generate_scene(FIRST_TRAINING_SCENE + generator.randrange(1 << 40))
        if role == PRACTICE:
            pieces = [(self._encode(text), learnt) for text, learnt in practice_example(scene, generator)]
            marks = [int(learnt) for ids, learnt in pieces for _ in ids]
            return [token for ids, _ in pieces for token in ids], marks, None
        example = listing_example(scene, generator) if role == LISTING else make_example(role, scene, generator)
        shown = self._opening + (self._picture if example.sees_picture else [])
        shown = shown + self._encode(example.user + TURN + example.prefix)
        learnt = self._encode(example.reply) + ([] if role == LISTING else [self._end])  # a thought goes on after it
        return shown + learnt, [0] * len(shown) + [1] * len(learnt), example.scene if example.sees_picture else None

    def drill(self, number: int) -> Batch:
        """Random token strings that can only be continued by copying or looking up; they make copying heads firm."""
        generator = random.Random(f"drill-{self._seed}-{number}")
        kind = generator.choice(("copy", "records", "records", "pairs", "letters", "letters"))
        rows = [getattr(self, f"_{kind}")(generator) for _ in range(TOKENS_PER_BATCH // 40)]
        return _padded([(ids, learnt, None) for ids, learnt in rows])

    def _copy(self, generator: random.Random) -> tuple[list[int], list[int]]:
        words = generator.sample(self._words, generator.randint(4, 24))
        return words + words, [0] * (len(words) + 1) + [1] * (len(words) - 1)

    def _records(self, generator: random.Random) -> tuple[list[int], list[int]]:
        words = generator.sample(self._words, 8)
        keys = dict.fromkeys((generator.choice(words[:4]), generator.choice(words[:4])) for _ in range(5))
        records = [[*key, *(generator.choice(words[4:]) for _ in range(3))] for key in keys]
        ids = sum(records, [])
        learnt = [0] * len(ids)
        for _ in range(4):
            ids = ids + generator.choice(records)
            learnt += [0, 0, 1, 1, 1]
        return ids, learnt

    def _pairs(self, generator: random.Random) -> tuple[list[int], list[int]]:
        ids = generator.sample(self._words, 10)
        learnt = [0] * 10
        for _ in range(8):
            at = 2 * generator.randrange(5)
            ids, learnt = ids + ids[at : at + 2], [*learnt, 0, 1]
        return ids, learnt

    def _letters(self, generator: random.Random) -> tuple[list[int], list[int]]:
        length = generator.randint(1, 3)
        pool = generator.sample(self._words, 6)
        options: list[list[int]] = []
        while len(options) < 4:
            option = [generator.choice(pool) for _ in range(length)] if length > 1 else [pool[len(options)]]
            if option not in options:
                options.append(option)
        ids: list[int] = []
        learnt: list[int] = []
        for letter, option in zip(self.letters, options, strict=True):
            ids += [self._blank, letter, *option]
            learnt += [0] * (length + 2)
        ids.append(self._line)
        learnt.append(0)
        for _ in range(6):
            at = generator.randrange(4)
            ids += [*options[at], self._blank, self.letters[at]]
            learnt += [0] * (length + 1) + [1]
        return ids, learnt


def _padded(rows: list[tuple[list[int], list[int], Scene | None]]) -> Batch:
    length = max(len(ids) for ids, _, _ in rows)
    ids = numpy.zeros((len(rows), length), numpy.int64)
    learnt = numpy.zeros((len(rows), length), bool)
    for i, (tokens, marks, _) in enumerate(rows):
        ids[i, : len(tokens)], learnt[i, : len(marks)] = tokens, marks
    scenes = [scene for _, _, scene in rows if scene is not None] or None
    return Batch(torch.from_numpy(ids), torch.from_numpy(learnt), scenes)
