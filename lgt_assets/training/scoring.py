"""How many held-out questions a trained model answers right, by suite, type and hops, with 95 % intervals."""

import hashlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.embedded.evaluation import Share
from lgt_assets.embedded.prompt_texts import open_text, vlm_text
from lgt_assets.embedded.scenes import render
from lgt_assets.engines.base import ImageReference, Message, Request, RequestFailure, Sampling, request_key
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.errors import EngineError
from lgt_assets.release.reward_functions import answer_score, format_score
from lgt_assets.sources.files import write_atomically
from lgt_assets.synthesis.open_answers import EXACT_TEXT, LETTER, NUMBER
from lgt_assets.training.held_out import Question

# The longest completion of the demo release is shorter; a model that does not stop is wrong, as in the rewards.
LONGEST_REPLY = 448
ALL = "all"


@dataclass(frozen=True)
class Answered:
    """A question with what a model said; right by the release's own verifier, well formed as the traces are."""

    question: Question
    reply: str
    tokens: int
    is_right: bool
    is_well_formed: bool


@dataclass(frozen=True)
class Scored:
    """``right`` of ``n`` with the release's own verifier; ``well_formed`` of them have the form of the traces."""

    suite: str
    kind: str
    answers: Share
    well_formed: Share
    tokens: int = 0

    def as_dict(self) -> dict[str, str | int | float]:
        """One flat row, with the 95 % interval of Wilson (1927)."""
        low, high = self.answers.interval()
        return {
            "suite": self.suite, "type": self.kind, "n": self.answers.n, "right": self.answers.right, "low": low,
            "high": high, "well_formed": self.well_formed.right, "tokens": self.tokens,
        }  # fmt: skip


def text_of(question: Question) -> str:
    """The user's text, in the words of the project's own template."""
    shown = question.example.variables
    if question.example.choices is None:
        return open_text(shown["question"], shown["verification"])
    return vlm_text(shown["question"], shown["choices"], shown["answer_format"])


def truth_of(question: Question) -> tuple[str, str]:
    """What a right reply says, and by which of the release's verifiers that is seen."""
    example = question.example
    if example.choices is None:
        return example.answer, NUMBER if example.answer.isdigit() else EXACT_TEXT
    return "ABCD"[example.choices.index(example.answer)], LETTER


def is_right(question: Question, reply: str) -> bool:
    """What the release's rewards say of a reply."""
    return bool(answer_score(reply, *truth_of(question), question.example.choices or ()))


def answered(
    weights: Path, asked: Sequence[Question], pictures: Path, *, threads: int = 1, dtype: str = "float32",
    progress: Callable[[int, int], None] = lambda *_: None,
) -> tuple[list[Answered], float]:  # fmt: skip
    """Greedy answers to all questions in their order, and the seconds they took, loading apart.

    Args:
        weights: folder of the model.
        asked: what.
        pictures: folder that keeps the rendered scenes.
        threads: of torch.
        dtype: of the weights in memory; ``auto``: as they are stored.
        progress: told answers given, and questions in all.

    Raises:
        EngineError: there is no model in ``weights``, or a question finds no room in memory.
    """
    settings = HfTransformersSettings(model=str(weights), dtype=dtype, threads=threads)
    with HfTransformersEngine(settings) as engine:
        requests = [request_of(question, pictures, number) for number, question in enumerate(asked)]
        places = {request_key(engine.identity, request): number for number, request in enumerate(requests)}
        said: dict[int, Answered] = {}
        began = time.monotonic()
        for completion in engine.generate(requests):
            if isinstance(completion, RequestFailure):
                raise EngineError(f"{weights}: {completion.error}")
            number = places[completion.request_key]
            said[number] = _answered(asked[number], completion.text, completion.completion_tokens)
            progress(len(said), len(asked))
        return [said[number] for number in range(len(asked))], time.monotonic() - began


def score(
    weights: Path,
    asked: Sequence[Question],
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Scored]:
    """Answers to all questions, counted; as :func:`answered`, but nothing is kept."""
    with tempfile.TemporaryDirectory() as pictures:
        return counted(answered(weights, asked, Path(pictures), threads=threads, progress=progress)[0])


def _answered(question: Question, reply: str, tokens: int) -> Answered:
    return Answered(question, reply, tokens, is_right(question, reply), bool(format_score(reply)))


def request_of(question: Question, pictures: Path, number: int) -> Request:
    """What an engine is asked; the rendered scene is kept in ``pictures`` by its content's hash, whole or not at all."""
    buffer = io.BytesIO()
    render(question.example.scene).save(buffer, "PNG")
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    path = pictures / f"{sha256}.png"
    if not path.exists() or path.stat().st_size != len(content):  # another version may have left a part of it
        write_atomically(path, content, durable=False)
    message = Message("user", text_of(question), (ImageReference(sha256, str(path)),))
    return Request((message,), Sampling(max_tokens=LONGEST_REPLY), seed=number)


def counted(answers: Sequence[Answered]) -> list[Scored]:
    """Answers counted by suite and type, by suite and hops, and ``all`` of each suite."""
    rows: dict[tuple[str, str], list[Answered]] = {}
    for one in answers:
        for kind in _kinds(one.question):
            rows.setdefault((one.question.suite, kind), []).append(one)
    return [
        Scored(
            suite, kind, Share(sum(one.is_right for one in own), len(own)),
            Share(sum(one.is_well_formed for one in own), len(own)), sum(one.tokens for one in own),
        )
        for (suite, kind), own in sorted(rows.items())
    ]  # fmt: skip


def _kinds(question: Question) -> Iterator[str]:
    yield question.kind
    yield f"hops: {question.hops}"
    yield ALL
