"""How well the embedded model plays its roles: free generation on held-out scenes, through the project's own prompts.

Pictures are asked about three times, with the right picture, a blank one, and another scene's; a model that looks falls
towards chance without its picture. Keys of written questions are judged by the scene's truth.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lgt_assets.embedded import examinations
from lgt_assets.embedded.answerers import CUES
from lgt_assets.embedded.examinations import Papers
from lgt_assets.embedded.examples import Example
from lgt_assets.embedded.grammar import COMPOSITION_KINDS, resolve, true_key
from lgt_assets.embedded.referring import NotAskable
from lgt_assets.embedded.scenes import Scene, render
from lgt_assets.embedded.speaker import Speaker
from lgt_assets.embedded.verdicts import CANNOT_KNOW

if TYPE_CHECKING:
    from PIL import Image

WEIGHTS = Path(__file__).parent / "weights"
Progress = Callable[[int, int, str], None]
PICTURES = ("accuracy", "blank_image", "shuffled_image")
ROLES = ("vlm", "reasoner", "composer", "questioner", "verifier")
# The first thoughts that the reasoner goes on from are sampled, hot enough that some are wrong; all else is greedy.
THOUGHT_TEMPERATURE = 1.5


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
        return _told(reply) == example.answer
    return answer_index(reply, list(example.choices)) == example.choices.index(example.answer)


def _by_type(examples: list[Example], replies: list[str]) -> dict[str, Share]:
    hits: dict[str, list[bool]] = {}
    for example, reply in zip(examples, replies, strict=True):
        hit = _answered(reply, example)
        for name in (examinations.type_of(example), "all"):
            hits.setdefault(name, []).append(hit)
    names = [*(name for name in examinations.TYPES if name in hits), "all"]
    return {name: Share(sum(hits[name]), len(hits[name])) for name in names}


def _truth(reply: str, scene: Scene) -> bool:
    """Whether a written question parses, can be read, and has a true key."""
    from lgt_assets.synthesis.parsing import ParsedQuestion, parse_questions

    parsed = parse_questions(reply)[0]
    if not isinstance(parsed, ParsedQuestion):
        return False
    try:
        return true_key(parsed.question, parsed.choices, parsed.answer_index, scene)
    except NotAskable:
        return False


def _repeats(reply: str) -> bool:
    """Whether a written question offers one choice twice."""
    menu = reply.partition("<choices>")[2].partition("</choices>")[0]
    choices = [part.partition(") ")[2].strip() for part in (" " + menu).split(" (")[1:]]
    return len(set(choices)) < len(choices)


def _told(reply: str) -> str:
    return reply.rpartition("<answer>")[2].partition("</answer>")[0].strip()


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
            | {"roles": {role: numbers[role] for role in ROLES}}
        )


def examine(
    weights: Path, *, n: int, seed: int, threads: int, progress: Progress | None
) -> dict[str, dict[str, Share]]:
    """All shares behind ``evaluate``, by part and name."""
    from PIL import Image

    speaker = Speaker(weights, threads)
    papers = examinations.papers(n, seed)
    total, done = sum(map(len, papers.texts.values())) + 3 * papers.count("vlm"), 0

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
    asked_openly = papers.examples["open"]
    replies = speaker.replies(papers.texts["open"], [render(example.scene) for example in asked_openly])
    shares["vlm"] = {"without_choices": _share(map(_answered, replies, asked_openly))}
    shares["reasoner"] = _reasoner(speaker, papers, pictures, seed)
    shares["composer"], shares["questioner"] = _composer(speaker, papers), _questioner(speaker, papers)
    shares["verifier"] = _verifier(speaker, papers)
    return shares


def _share(hits: Iterable[bool]) -> Share:
    told = list(hits)
    return Share(sum(told), len(told))


def _reasoner(speaker: Speaker, papers: Papers, pictures: list[Image.Image], seed: int) -> dict[str, Share]:
    """All its answers, those after a first thought that was wrong, and how many first thoughts were right."""
    count = papers.count("reasoner")
    texts, examples = papers.texts["vlm"][:count], papers.examples["reasoner"]
    first = speaker.replies(texts, pictures[:count], temperature=THOUGHT_TEMPERATURE, seed=seed)
    generator = random.Random(f"cues-{seed}")
    prefixes = [f"<think> {_thought(reply)} {generator.choice(CUES)}" for reply in first]
    second = speaker.replies(papers.texts["reasoner"], prefixes=prefixes)
    hits, before = (list(map(_answered, replies, examples)) for replies in (second, first))
    return {
        "all": _share(hits),
        "after_wrong": _share(hit for hit, right in zip(hits, before, strict=True) if not right),
        "first_thoughts": _share(before),
    }


def _composer(speaker: Speaker, papers: Papers) -> dict[str, Share]:
    """Written questions with a true key, of all kinds and of each."""
    examples = papers.examples["composer"]
    replies = speaker.replies(papers.texts["composer"])
    hits: dict[str, list[bool]] = {"key_right": [], **{kind: [] for kind in COMPOSITION_KINDS}, "three_or_more": []}
    for reply, example in zip(replies, examples, strict=True):
        hit = _truth(reply, example.scene)
        many = ["three_or_more"] if len(example.variables["parents"]) > 2 else []
        for name in ("key_right", example.variables["composition_kind"], *many):
            hits[name].append(hit)
    return {name: _share(told) for name, told in hits.items() if told}


def _questioner(speaker: Speaker, papers: Papers) -> dict[str, Share]:
    replies = speaker.replies(papers.texts["questioner"])
    scenes = [example.scene for example in papers.examples["questioner"]]
    return {"key_right": _share(map(_truth, replies, scenes)), "duplicate_options": _share(map(_repeats, replies))}


def _verifier(speaker: Speaker, papers: Papers) -> dict[str, Share]:
    """Its answers from facts, and its guesses where a parent's answer is withheld, which should be right by chance alone."""
    replies = {
        role: speaker.replies(papers.texts[role]) for role in ("verifier", "withheld", "consistency", "behaviours")
    }
    truths = [replace(example, answer=resolve(example.ask, example.scene)) for example in papers.examples["withheld"]]
    read = zip(replies["consistency"], papers.examples["consistency"], strict=True)
    return {
        "all": _share(map(_answered, replies["verifier"], papers.examples["verifier"])),
        "withheld_admitted": _share(CANNOT_KNOW in reply for reply in replies["withheld"]),
        "withheld_guessed_right": _share(map(_answered, replies["withheld"], truths)),
        "consistency": _share(_told(reply) == _told(example.reply) for reply, example in read),
        "behaviours": _share(
            _told(reply) == example.answer
            for reply, example in zip(replies["behaviours"], papers.examples["behaviours"], strict=True)
        ),
    }


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
    lines += ["", f"{'role':<14}{'score':<26}{'share':>20}{'of':>8}"]
    for role in ROLES:
        for name, share in shares[role].items():
            lines.append(f"{role:<14}{name.replace('_', ' '):<26}{_cell(share):>20}{share.n:>8}")
    return "\n".join(lines)


def _cell(share: Share) -> str:
    low, high = share.interval()
    return f"{share.value:.3f} ({low:.2f}-{high:.2f})"
