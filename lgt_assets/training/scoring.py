"""How many held-out questions a trained model answers right, by suite and type, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.embedded.evaluation import Share
from lgt_assets.embedded.prompt_texts import open_text, vlm_text
from lgt_assets.embedded.scenes import render
from lgt_assets.embedded.speaker import Speaker
from lgt_assets.release.reward_functions import answer_score, format_score
from lgt_assets.synthesis.open_answers import EXACT_TEXT, LETTER, NUMBER
from lgt_assets.training.held_out import Question

# The longest completion of the demo release is shorter; a model that does not stop is wrong, as in the rewards.
LONGEST_REPLY = 448


@dataclass(frozen=True)
class Scored:
    """``right`` of ``n`` with the release's own verifier; ``well_formed`` of them have the form of the traces."""

    suite: str
    kind: str
    answers: Share
    well_formed: Share

    def as_dict(self) -> dict[str, str | int | float]:
        """One flat row, with the 95 % interval of Wilson (1927)."""
        low, high = self.answers.interval()
        return {
            "suite": self.suite, "type": self.kind, "right": self.answers.right, "n": self.answers.n,
            "accuracy": self.answers.value, "low": low, "high": high, "well_formed": self.well_formed.value,
        }  # fmt: skip


def text_of(question: Question) -> str:
    """The user's text, in the words of the project's own template."""
    shown = question.example.variables
    if question.example.choices is None:
        return open_text(shown["question"], shown["verification"])
    return vlm_text(shown["question"], shown["choices"], shown["answer_format"])


def is_right(question: Question, reply: str) -> bool:
    """What the release's rewards say of a reply."""
    example = question.example
    if example.choices is None:
        return bool(answer_score(reply, example.answer, NUMBER if example.answer.isdigit() else EXACT_TEXT))
    letter = "ABCD"[example.choices.index(example.answer)]
    return bool(answer_score(reply, letter, LETTER, example.choices))


def score(
    weights: Path, asked: Sequence[Question], *, threads: int = 1, progress: Callable[[int, int], None] | None = None
) -> list[Scored]:
    """Greedy answers to all questions, many at once, counted by suite and type, and ``all`` of each suite.

    Raises:
        EngineError: there is no model in ``weights``.
    """
    speaker = Speaker(weights, threads, longest_reply=LONGEST_REPLY)
    done = 0

    def spoken(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, len(asked))

    speaker.spoken = spoken
    pictures = [render(question.example.scene) for question in asked]
    return counted(asked, speaker.replies([text_of(question) for question in asked], pictures))


def counted(asked: Sequence[Question], replies: Sequence[str]) -> list[Scored]:
    """Replies counted by suite and type."""
    hits: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for question, reply in zip(asked, replies, strict=True):
        hit = (is_right(question, reply), bool(format_score(reply)))
        for kind in (question.kind, "all"):
            hits.setdefault((question.suite, kind), []).append(hit)
    return [
        Scored(suite, kind, *(Share(sum(column), len(column)) for column in zip(*rows, strict=True)))
        for (suite, kind), rows in sorted(hits.items())
    ]
