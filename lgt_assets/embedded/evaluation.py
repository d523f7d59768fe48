"""How well the embedded model plays its roles: free generation on held-out scenes, through the project's own prompts.

Pictures are asked about three times, with the right picture, a blank one, and another scene's; a model that looks falls
towards chance without its picture. Keys of written questions are judged by the scene's truth.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.embedded import examinations
from lgt_assets.embedded.answerers import CUES
from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.grammar import NotAskable, true_answer
from lgt_assets.embedded.scenes import Scene, render
from lgt_assets.embedded.speaker import Speaker

WEIGHTS = Path(__file__).parent / "weights"
Progress = Callable[[int, int, str], None]
PICTURES = ("accuracy", "blank_image", "shuffled_image")
TEXT_ROLES = ("reasoner", "composer", "questioner", "verifier")
# Thoughts are sampled as the pipeline samples them; everything else is greedy.
THOUGHT_TEMPERATURE = 1.0


@dataclass(frozen=True)
class Share:
    """So many right of so many."""

    right: int
    n: int

    @property
    def value(self) -> float:
        """The share in [0, 1]; not a number if nothing was asked."""
        return self.right / self.n if self.n else float("nan")

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927)."""
        if not self.n:
            return 0.0, 1.0
        z, p, n = 1.959964, self.value, self.n
        middle, spread = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
        return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


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


class Evaluation(dict):
    """The numbers that ``evaluate`` returns; ``shares`` holds the counts behind them."""

    def __init__(self, shares: dict[str, dict[str, Share]]) -> None:
        self.shares = shares
        numbers = {part: {name: round(share.value, 4) for name, share in row.items()} for part, row in shares.items()}
        super().__init__(
            {"n": shares[PICTURES[0]]["all"].n}
            | {part: numbers[part] for part in PICTURES}
            | {"roles": {role: numbers[role] for role in TEXT_ROLES}}
        )


def examine(
    weights: Path, *, n: int, seed: int, threads: int, progress: Progress | None
) -> dict[str, dict[str, Share]]:
    """All shares behind ``evaluate``, by part and name."""
    from PIL import Image

    speaker = Speaker(weights, threads)
    papers = examinations.papers(n, seed)
    total, done = (
        sum(papers.count(name) for name in ("vlm",) * 4 + ("questioner", "composer", "reasoner", "verifier")),
        0,
    )

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
    after_wrong = [
        hit for hit, reply, example in zip(hits, first, looked, strict=False) if not _answered(reply, example)
    ]
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
    weights: Path = WEIGHTS, *, n: int = 1000, seed: int = 0, threads: int = 1, progress: Progress | None = None
) -> Evaluation:
    """Scores on ``n`` questions about held-out pictures and fewer for the text roles; shares lie in [0, 1].

    Returns {"n", "accuracy", "blank_image", "shuffled_image": {TYPE: share, "all": share}, "roles": {ROLE: {NAME: share}}}.
    Raises EngineError if there is no model in ``weights``.
    """
    return Evaluation(examine(weights, n=n, seed=seed, threads=threads, progress=progress))


def format_table(result: Evaluation) -> str:
    """The scores as text with their 95 % intervals, a line each."""
    shares = result.shares
    lines = [f"{result['n']} questions about held-out pictures; share right (95 % interval)", ""]
    lines.append(f"{'type':<14}{'the picture':>20}{'a blank one':>20}{'another scene':>20}")
    for name in shares[PICTURES[0]]:
        lines.append(f"{name:<14}" + "".join(f"{_cell(shares[part][name]):>20}" for part in PICTURES))
    lines += ["", f"{'role':<14}{'score':<20}{'share':>20}{'of':>8}"]
    for role in TEXT_ROLES:
        for name, share in shares[role].items():
            lines.append(f"{role:<14}{name.replace('_', ' '):<20}{_cell(share):>20}{share.n:>8}")
    return "\n".join(lines)


def _cell(share: Share) -> str:
    low, high = share.interval()
    return f"{share.value:.3f} ({low:.2f}-{high:.2f})"
