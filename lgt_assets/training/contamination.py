"""Whether anything that a model is scored on stands in what it was trained on: pictures by content and look, prompts by words.

What is found is found as the release finds benchmarks in itself: pHash within ``release.picture_distance`` bits, and prompts by
:class:`~lgt_assets.release.overlap.QuestionIndex`. The scenes' grammar is small: the wording of a question ("What color is the
star?") recurs about other pictures, so a prompt is the same where question and choices are; how many wordings recur is counted
beside it.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lgt_assets.errors import ReleaseError
from lgt_assets.release.overlap import QuestionIndex
from lgt_assets.release.perceptual import near_hashes, picture_hash

if TYPE_CHECKING:
    from PIL import Image

SAME_PICTURE, NEAR_PICTURE, SAME_PROMPT = "same_picture", "near_picture", "same_prompt"
LEAKS = {"suite": pl.String, "number": pl.Int64, "reason": pl.String, "detail": pl.String}
_MARK = "Question:"
_AS_WHOLES = 1 << 30  # no prompt has runs of so many words, so that only whole ones are compared


@dataclass(frozen=True)
class Seen:
    """A picture with its prompt: ``pixels`` is the sha256 of its RGB values, ``phash`` 16 hexadecimal digits.

    Both are empty where there is no picture.
    """

    suite: str
    prompt: str
    pixels: str
    phash: str

    def as_dict(self) -> dict[str, str]:
        """For a line of JSON."""
        return asdict(self)


def pixels_hash(picture: "Image.Image") -> str:
    """The sha256 of a picture's RGB values, however its file was encoded."""
    return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()


def seen(suite: str, prompt: str, picture: "Image.Image") -> Seen:
    """What of a question can leak."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=0)
    return Seen(suite, prompt, pixels_hash(picture), picture_hash(buffer.getvalue(), Path(suite)))


def exported_questions(export: Path) -> list[Seen]:
    """Every prompt with every picture of an export in the format ``hf``, of all configs and splits, each once.

    Raises:
        ReleaseError: the folder holds no rows.
    """
    files = sorted(export.glob("*/*-*.parquet"))
    if not files:
        raise ReleaseError(f"{export} holds no rows: export the release with --format hf")
    rows = [pl.scan_parquet(path).select("images", pl.col("prompt").list.first()).unique().collect() for path in files]
    hashes: dict[bytes, tuple[str, str]] = {}
    found: dict[Seen, None] = {}
    for images, prompt in pl.concat(rows).iter_rows():
        for content in [picture["bytes"] for picture in images] or [b""]:
            if content not in hashes:
                hashes[content] = _hashes(content, export) if content else ("", "")
            found[Seen("release", prompt["content"], *hashes[content])] = None
    return list(found)


def _hashes(content: bytes, export: Path) -> tuple[str, str]:
    from PIL import Image

    phash = picture_hash(content, export)  # refuses what is no picture
    with Image.open(io.BytesIO(content)) as picture:
        return pixels_hash(picture), phash


def leaks(asked: Sequence[Seen], trained: Sequence[Seen], *, distance: int) -> pl.DataFrame:
    """What of ``asked`` stands in ``trained``, one row for each question and reason.

    Args:
        asked: the questions of an evaluation.
        trained: what a release holds.
        distance: bits of 64 in which hashes of one picture may differ.

    Returns:
        ``suite``, ``number`` (place among its suite's, from 0), ``reason`` and ``detail``.
    """
    pixels = {one.pixels for one in trained}
    hashes = list({one.phash: None for one in trained if one.phash})
    near = near_hashes(_texts(one.phash for one in asked), _texts(hashes), distance)
    bits = {row: count for row, _, count in near.iter_rows()}
    prompts = KnownPrompts(trained)
    found: list[tuple[str, int, str, str]] = []
    numbers: Counter[str] = Counter()
    for place, one in enumerate(asked):
        number = numbers[one.suite]
        numbers[one.suite] += 1
        if one.pixels in pixels:
            found.append((one.suite, number, SAME_PICTURE, one.pixels))
        elif place in bits:
            found.append((one.suite, number, NEAR_PICTURE, f"{bits[place]} bits of 64 differ"))
        if one.prompt in prompts:
            found.append((one.suite, number, SAME_PROMPT, one.prompt))
    return pl.DataFrame(found, schema=LEAKS, orient="row")


def questions_of(found: pl.DataFrame) -> int:
    """How many questions :func:`leaks` found, whatever number of reasons each has."""
    return found.select("suite", "number").n_unique()


class KnownPrompts:
    """Whether a prompt's question and choices stand in a release, whatever is requested of the answer: ``prompt in known``."""

    def __init__(self, trained: Iterable[Seen]):
        self._index = QuestionIndex(
            ((_question_and_choices(one.prompt), one.suite) for one in trained), ngram=_AS_WHOLES, share=1.0
        )

    def __contains__(self, prompt: object) -> bool:
        return self._index.find(_question_and_choices(str(prompt))) is not None


def recurring_wordings(asked: Iterable[Seen], trained: Iterable[Seen], *, ngram: int, share: float) -> dict[str, float]:
    """By suite the share of questions whose wording, choices apart, the release's rule finds about some picture in training."""
    index = QuestionIndex(((_question(one.prompt), one.suite) for one in trained), ngram=ngram, share=share)
    found: dict[str, list[bool]] = {}
    for one in asked:
        found.setdefault(one.suite, []).append(index.find(_question(one.prompt)) is not None)
    return {suite: sum(hits) / len(hits) for suite, hits in found.items()}


def _question_and_choices(prompt: str) -> str:
    """What all templates put between ``Question:`` and the last line, which says how to answer."""
    return prompt[max(0, prompt.rfind(_MARK)) :].rstrip().rpartition("\n")[0] or prompt


def _question(prompt: str) -> str:
    return _question_and_choices(prompt).partition("\n")[0]


def _texts(values: Iterable[str]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.String)
