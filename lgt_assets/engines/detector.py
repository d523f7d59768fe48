"""Finding what phrases name in a picture: what detectors take and give, and how the response store keeps it.

A detection is stored as a completion is: its query is a request, what was found is a text in JSON. So it has a key of all that
decides it (model, revision, size limits, picture, phrases, thresholds), is journalled, counted, priced and never made twice;
what is done with the boxes afterwards, such as removing overlaps, is no part of the key and detects nothing anew.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

from lgt_assets.engines.base import (
    Completion,
    ImageReference,
    Message,
    ModelIdentity,
    Request,
    RequestFailure,
    Sampling,
    request_key,
)
from lgt_assets.errors import EngineError
from lgt_assets.identity import canonical_json

_DIGITS, _PIXEL_DIGITS = 4, 1


@dataclass(frozen=True)
class DetectionQuery:
    """Where in ``image`` is what each of ``phrases`` names?

    Attributes:
        image: the picture.
        phrases: looked for together, each at least a word, without full stops and question marks: these part phrases.
        box_threshold: score in [0, 1] that a box must exceed.
        text_threshold: score in [0, 1] that a box must exceed for some word of a phrase, to be of that phrase.
    """

    image: ImageReference
    phrases: tuple[str, ...]
    box_threshold: float
    text_threshold: float


@dataclass(frozen=True)
class Detection:
    """One box. ``phrase`` is an index into the query's phrases, or None where no phrase reached the text threshold.

    Attributes:
        x0, y0, x1, y1: edges in pixels of the picture as it is shown, EXIF's orientation applied, inside it; a box may have no
            area.
        score: the model's confidence in [0, 1].
        phrase: which phrase the box is of.
        text: the words that the model itself reads off, for people; words of several phrases may be among them.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    phrase: int | None
    text: str = ""


class QueryUnusable(Exception):
    """A query that this detector cannot answer; the engine turns it into that request's failure."""


class Detector(Protocol):
    """Finds boxes: the same query gives the same boxes, whatever was asked before. It holds a model: close it."""

    kind: str
    identity: ModelIdentity

    def detect(self, query: DetectionQuery) -> list[Detection]:
        """Boxes in any order.

        Raises:
            QueryUnusable: the picture cannot be read, or the phrases are too many.
            EngineError: nothing can be detected at all.
        """
        ...

    def close(self) -> None:
        """Free the model. Closing twice is fine."""
        ...


def detection_request(query: DetectionQuery) -> Request:
    """The request that stands for ``query``; its sampling says that there is none."""
    thresholds = {"box_threshold": query.box_threshold, "text_threshold": query.text_threshold}
    messages = (
        Message("system", canonical_json(thresholds)),
        Message("user", canonical_json(list(query.phrases)), (query.image,)),
    )
    return Request(messages, Sampling(temperature=0.0), seed=0)


def query_of(request: Request) -> DetectionQuery:
    """The query that a request stands for.

    Raises:
        QueryUnusable: it stands for none: a role that writes is bound to a detector.
    """
    try:
        system, user = request.messages
        thresholds, phrases = json.loads(system.text), json.loads(user.text)
        (image,) = user.images
        return DetectionQuery(
            image, tuple(map(str, phrases)), thresholds["box_threshold"], thresholds["text_threshold"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise QueryUnusable(
            "the request is for a model that writes, and this one finds boxes: bind it to the role `detector` alone"
        ) from error


def detections_text(found: Iterable[Detection]) -> str:
    """What was found as the text that is stored: a JSON list, best score first, equal for equal boxes."""
    rows = [
        asdict(one) | {edge: round(getattr(one, edge), _PIXEL_DIGITS) for edge in ("x0", "y0", "x1", "y1")}
        | {"score": round(one.score, _DIGITS)}
        for one in found
    ]  # fmt: skip
    return canonical_json(sorted(rows, key=lambda row: (-row["score"], canonical_json(row))))


def parse_detections(text: str) -> list[Detection]:
    """The inverse of :func:`detections_text`.

    Raises:
        EngineError: the text is no list of detections: something else wrote it under this key.
    """
    try:
        return [Detection(**row) for row in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise EngineError(f"a stored detection cannot be read ({error}): {text[:120]!r}") from error


class DetectorEngine:
    """A detector as an engine, so that generation and response store treat it like any other model."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.kind = detector.kind

    @property
    def identity(self) -> ModelIdentity:
        """The detector's."""
        return self.detector.identity

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once, in order; see :class:`lgt_assets.engines.base.Engine`.

        One query at a time: padded beside a larger picture, the same query would give other digits.
        """
        for request in requests:
            key, started = request_key(self.identity, request), time.monotonic()
            try:
                text = detections_text(self.detector.detect(query_of(request)))
            except QueryUnusable as error:
                yield RequestFailure(key, str(error))
                continue
            yield Completion(key, text, "stop", seconds=time.monotonic() - started)

    def close(self) -> None:
        """Free the model. Closing twice is fine."""
        self.detector.close()

    def __enter__(self) -> "DetectorEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
