"""Boxes for pictures that came without any: a detector looks for phrases of the caption, and what it finds is sifted here.

Non-maximum suppression is written out: it is a loop over some tens of boxes, and torchvision, which has it, brings a CUDA build
that laptops do without.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.detector import Detection, DetectionQuery, detection_request, parse_detections
from lgt_assets.identity import canonical_json, row_id
from lgt_assets.settings import DetectSettings
from lgt_assets.synthesis.facts import by_key, in_order
from lgt_assets.synthesis.phrases import ASSET, Phrase
from lgt_assets.synthesis.planned import Answered, Outcome, Planned

ROLE = "detector"
UNCLEAR = "unclear_phrase"
TOO_SMALL = "box_too_small"
TOO_LARGE = "box_too_large"
OVERLAPS = "overlaps_better_box"
TOO_MANY = "too_many_boxes"


@dataclass(frozen=True)
class Candidate:
    """A box as it was found, the phrase it is of (None: unclear), and the completion it came in."""

    found: Detection
    phrase: Phrase | None
    request_key: str


def without_boxes(images: pl.DataFrame, given: Iterable[Mapping]) -> list[dict]:
    """Rows of ``images``, in order, that none of ``given``, rows of ``grounded_objects``, is about."""
    boxed = {row["image_id"] for row in given}
    return [row for row in in_order(images) if row["image_id"] not in boxed]


def plan_detections(
    images: Iterable[Mapping], phrases: Mapping[str, Sequence[Phrase]], *, settings: DetectSettings
) -> Iterator[Planned]:
    """Requests for the detector, by picture: its phrases, ``settings.phrases_per_request`` at a time."""
    for row in images:
        listed, size = phrases.get(row["image_id"], ()), settings.phrases_per_request
        for together in (listed[start : start + size] for start in range(0, len(listed), size)):
            query = DetectionQuery(
                ImageReference(row["sha256"], row["uri"]), tuple(one.phrase for one in together),
                settings.box_threshold, settings.text_threshold,
            )  # fmt: skip
            context = {"image_id": row["image_id"], "phrases": [asdict(one) for one in together]}
            yield Planned(detection_request(query), context)


def build_objects(
    shard: str, images: pl.DataFrame, given: Sequence[dict], answered: Iterable[Answered], outcome: Outcome, *,
    settings: DetectSettings, detector: str,
) -> Outcome:  # fmt: skip
    """Rows of ``grounded_objects`` by picture: ``given`` ones as they are, or those that were detected, best first.

    Rejection reasons, the first that holds: ``unclear_phrase`` (no phrase reached the text threshold), ``box_too_small`` and
    ``box_too_large`` (shares of the picture), ``overlaps_better_box`` (of the same label), ``too_many_boxes``.

    Args:
        shard: its key.
        images: rows of ``images``.
        given: boxes that came with the source.
        answered: the detector's replies to :func:`plan_detections`.
        outcome: added to, and returned.
        settings: sizes, overlap and number.
        detector: name and revision of the model, noted as ``box_source``.
    """
    candidates: dict[str, list[Candidate]] = {}
    for answer in answered:
        found = parse_detections(answer.completion.text)
        outcome.asked += 1
        outcome.parsed += bool(found)
        phrases = [Phrase(**one) for one in answer.context["phrases"]]
        candidates.setdefault(answer.context["image_id"], []).extend(
            Candidate(one, None if one.phrase is None else phrases[one.phrase], answer.request_key) for one in found
        )
    given_by_image = by_key(list(given), "image_id")
    for image in in_order(images):
        rows = given_by_image.get(image["image_id"]) or _rows(shard, image, candidates, outcome, settings, detector)
        for row in rows:
            outcome.rows.append(row | {"ordinal": len(outcome.rows)})
    return outcome


def count_boxes(outcome: Outcome, images: pl.DataFrame, *, may_detect: bool) -> Outcome:
    """Note in ``outcome`` how many of ``images`` have no box now, and what they cannot be asked about."""
    boxed = {row["image_id"] for row in outcome.rows}
    bare = sum(image_id not in boxed for image_id in images["image_id"])
    outcome.notes["pictures_without_boxes"] = bare
    if bare:
        mend = "" if may_detect else "; give boxes with the source, or bind the role `detector` in the profile"
        outcome.notes["without_boxes"] = (
            f"{bare} of {images.height} pictures have no boxes: they are asked about as whole scenes only, never about one "
            f"thing, several things or a part of the picture{mend}"
        )
    return outcome


def sift(
    candidates: Iterable[Candidate], area: float, settings: DetectSettings
) -> Iterator[tuple[Candidate, str | None]]:
    """Every candidate of a picture of ``area`` pixels, best first, with the reason why it is not kept, or None."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (-one.found.score, canonical_json(asdict(one)))):
        reason = _refusal(one, kept, area, settings)
        if reason is None:
            kept.append(one)
        yield one, reason


def _refusal(one: Candidate, kept: Sequence[Candidate], area: float, settings: DetectSettings) -> str | None:
    if one.phrase is None:
        return UNCLEAR
    share = _area(one.found) / area
    if share <= 0 or share < settings.minimum_share:
        return TOO_SMALL
    if share > settings.maximum_share:
        return TOO_LARGE
    same = (better for better in kept if better.phrase and better.phrase.label == one.phrase.label)
    if any(intersection_over_union(better.found, one.found) > settings.overlap for better in same):
        return OVERLAPS
    return TOO_MANY if len(kept) >= settings.boxes else None


def intersection_over_union(one: Detection, other: Detection) -> float:
    """Of two boxes, in [0, 1]; 0 where both have no area."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    shared = width * height if width > 0 and height > 0 else 0.0
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Detection) -> float:
    return max(0.0, box.x1 - box.x0) * max(0.0, box.y1 - box.y0)


def _rows(
    shard: str, image: Mapping, candidates: Mapping[str, list[Candidate]], outcome: Outcome, settings: DetectSettings,
    detector: str,
) -> Iterator[dict]:  # fmt: skip
    image_id, seen = image["image_id"], Counter()
    sifted = sift(candidates.get(image_id, ()), image["width"] * image["height"], settings)
    for position, (one, reason) in enumerate(sifted):
        if reason is not None or one.phrase is None:
            raw = canonical_json(asdict(one.found) | {"named": one.phrase and one.phrase.phrase})
            outcome.reject(
                shard, ASSET, reason or UNCLEAR, request_key=one.request_key, parent_id=image_id, raw=raw, position=position,
                measures={"score": one.found.score},
            )  # fmt: skip
            continue
        edges = {edge: getattr(one.found, edge) for edge in ("x0", "y0", "x1", "y1")}
        key = (one.phrase.label, one.phrase.phrase, *edges.values())
        object_id = row_id(ASSET, shard, image_id, *key, seen[key])
        seen[key] += 1
        yield {
            "shard": shard, "object_id": object_id, "image_id": image_id, "label": one.phrase.label,
            "phrase": one.phrase.phrase, **edges, "score": one.found.score, "box_source": detector,
            "request_key": one.request_key,
        }  # fmt: skip
