"""How well the embedded model plays its roles: free generation on held-out scenes, through the project's own prompts.

Pictures are asked about three times, with the right picture, a blank one, and another scene's; a model that looks falls
towards chance without its picture. Keys of written questions are judged by the scene's truth.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lgt_assets.embedded import examinations
from lgt_assets.embedded.grammar import NotAskable, true_answer
from lgt_assets.embedded.roles import CUES, Example
from lgt_assets.embedded.scenes import Scene, render
from lgt_assets.errors import EngineError

if TYPE_CHECKING:
    from PIL import Image

WEIGHTS = Path(__file__).parent / "weights"
Progress = Callable[[int, int, str], None]
# Thoughts are sampled as the pipeline samples them; everything else is greedy.
THOUGHT_TEMPERATURE = 1.0


@dataclass(frozen=True)
class Share:
    """So many right of so many."""

    right: int
    n: int

    @property
    def value(self) -> float:
        return self.right / self.n if self.n else float("nan")

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927)."""
        if not self.n:
            return 0.0, 1.0
        z, p, n = 1.959964, self.value, self.n
        middle, spread = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
        return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


class Speaker:
    """The model as transformers loads it, answering many prompts at once."""

    def __init__(self, weights: Path, threads: int, batch: int = 64) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

        torch.set_num_threads(threads)
        if not (weights / "model.safetensors").exists():
            raise EngineError(f"no model in {weights}: give the folder that `lgt embedded train` wrote")
        self._batch = batch
        self._model = AutoModelForImageTextToText.from_pretrained(weights, dtype=torch.float32).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(weights, padding_side="left")
        self._processor = AutoImageProcessor.from_pretrained(weights, backend="pil")
        self.spoken: Callable[[int], None] = lambda count: None

    def replies(
        self,
        texts: list[str],
        pictures: list[Image.Image] | None = None,
        prefixes: list[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """The replies to user texts, in their order; with pictures, each before its text; each after its prefix."""
        import torch

        torch.manual_seed(seed)
        prefixes = prefixes or [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]) + len(prefixes[i]))
        replies = [""] * len(texts)
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            shown = None if pictures is None else [pictures[i] for i in rows]
            for i, reply in zip(rows, self._generate([(texts[i], prefixes[i]) for i in rows], shown, temperature), strict=True):
                replies[i] = reply
            self.spoken(len(rows))
        return replies

    def _generate(self, prompts: list[tuple[str, str]], pictures, temperature: float) -> list[str]:
        import torch

        inputs, places = {}, 0
        if pictures is not None:
            inputs = dict(self._processor(images=pictures, return_tensors="pt"))
            places = int(inputs["image_grid_thw"][0].prod()) // 4
        turns = [self._turn(text, places) + prefix for text, prefix in prompts]
        encoded = self._tokenizer(turns, return_tensors="pt", padding=True)
        if pictures is not None:
            inputs["mm_token_type_ids"] = (encoded["input_ids"] == self._model.config.image_token_id).long()
        sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                max_new_tokens=260,
                **inputs,
                **sampling,
            )
        return self._tokenizer.batch_decode(output[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)

    def _turn(self, text: str, places: int) -> str:
        content = [{"type": "image"}] if places else []
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]
        turn = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return turn.replace("<|image_pad|>", "<|image_pad|>" * places)


def _answered(reply: str, example: Example) -> bool:
    """Whether a reply ends with the right letter, or without choices the right words."""
    from lgt_assets.synthesis.parsing import answer_index

    if example.choices is None:
        return reply.rpartition("<answer>")[2].partition("</answer>")[0].strip() == example.answer
    return answer_index(reply, list(example.choices)) == example.choices.index(example.answer)


def _by_type(examples: list[Example], replies: list[str]) -> dict[str, Share]:
    hits: dict[str, list[bool]] = {}
    for example, reply in zip(examples, replies, strict=True):
        hit = _answered(reply, example)
        for name in (examinations.type_of(example), "all"):
            hits.setdefault(name, []).append(hit)
    names = [*(name for name in examinations.TYPES if name in hits), "all"]
    return {name: Share(sum(hits[name]), len(hits[name])) for name in names}


def _written(replies: list[str], scenes: list[Scene]) -> tuple[Share, Share]:
    """Written questions: those whose key is true in their scene, and those that offer one choice twice."""
    from lgt_assets.synthesis.parsing import ParsedQuestion, parse_questions

    right = duplicate = 0
    for reply, scene in zip(replies, scenes, strict=True):
        menu = reply.partition("<choices>")[2].partition("</choices>")[0]
        choices = [part.partition(") ")[2].strip() for part in (" " + menu).split(" (")[1:]]
        duplicate += len(set(choices)) < len(choices)
        parsed = parse_questions(reply)[0]
        if isinstance(parsed, ParsedQuestion):
            try:
                right += parsed.choices[parsed.answer_index] == true_answer(parsed.question, scene)
            except NotAskable:
                continue
    return Share(right, len(replies)), Share(duplicate, len(replies))


def _thought(reply: str) -> str:
    return reply.partition("<think>")[2].partition("</think>")[0].strip()


def examine(weights: Path, *, n: int, seed: int, threads: int, progress: Progress | None) -> dict[str, dict[str, Share]]:
    """All shares behind ``evaluate``, by part and name."""
    from PIL import Image

    speaker = Speaker(weights, threads)
    papers = examinations.papers(n, seed)
    total, done = sum(papers.count(name) for name in ("vlm",) * 4 + ("questioner", "composer", "reasoner", "verifier")), 0

    def spoken(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total, "")

    speaker.spoken = spoken
    looked, texts = papers.examples["vlm"], papers.texts["vlm"]
    pictures = [render(example.scene) for example in looked]
    blank = [Image.new("RGB", pictures[0].size, (226, 226, 226))] * len(looked)
    shares = {
        "accuracy": _by_type(looked, speaker.replies(texts, pictures)),
        "blank_image": _by_type(looked, speaker.replies(texts, blank)),
        "shuffled_image": _by_type(looked, speaker.replies(texts, [*pictures[1:], pictures[0]])),
    }
    count = papers.count("reasoner")
    first = speaker.replies(texts[:count], pictures[:count], temperature=THOUGHT_TEMPERATURE, seed=seed)
    generator = random.Random(f"cues-{seed}")
    prefixes = [f"<think> {_thought(reply)} {generator.choice(CUES)}" for reply in first]
    second = speaker.replies(papers.texts["reasoner"], prefixes=prefixes)
    hits = [_answered(reply, example) for reply, example in zip(second, looked, strict=False)]
    after_wrong = [hit for hit, reply, example in zip(hits, first, looked, strict=False) if not _answered(reply, example)]
    shares["reasoner"] = {"all": Share(sum(hits), len(hits)), "after_wrong": Share(sum(after_wrong), len(after_wrong))}
    shares["sampled"] = {"all": Share(len(hits) - len(after_wrong), len(hits))}
    for role in ("composer", "questioner"):
        examples = papers.examples[role]
        right, duplicate = _written(speaker.replies(papers.texts[role]), [example.scene for example in examples])
        shares[role] = {"key_right": right} | ({"duplicate_options": duplicate} if role == "questioner" else {})
    verdicts = speaker.replies(papers.texts["verifier"])
    hits = [_answered(reply, example) for reply, example in zip(verdicts, papers.examples["verifier"], strict=True)]
    shares["verifier"] = {"all": Share(sum(hits), len(hits))}
    return shares


def evaluate(
    weights: Path = WEIGHTS, *, n: int = 1000, seed: int = 0, threads: int = 2, progress: Progress | None = None
) -> dict:
    """Scores on ``n`` questions about held-out pictures and fewer for the text roles, with everything behind them.

    Returns {"n", "accuracy", "blank_image", "shuffled_image": {TYPE: share, "all": share}, "roles": {ROLE: {NAME: share}}}
    with shares in [0, 1]. Raises EngineError if there is no model in ``weights``.
    """
    return report(examine(weights, n=n, seed=seed, threads=threads, progress=progress))


def report(shares: dict[str, dict[str, Share]]) -> dict:
    """Shares as the plain numbers that ``evaluate`` returns; one part of it holds those for the table."""
    numbers = {part: {name: round(share.value, 4) for name, share in row.items()} for part, row in shares.items()}
    pictures = ("accuracy", "blank_image", "shuffled_image")
    roles = ("reasoner", "composer", "questioner", "verifier")
    return (
        {"n": shares["accuracy"]["all"].n}
        | {part: numbers[part] for part in pictures}
        | {"roles": {role: numbers[role] for role in roles}}
    )
