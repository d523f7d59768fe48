"""Rejected questions as data: a candidate that was parsed is kept whole, so that it can be judged and audited later."""

import json
from collections.abc import Mapping

from lgt_assets.synthesis.planned import Outcome

_KEPT = ("question_id", "image_id", "question", "choices", "answer_index", "question_type", "composition_kind")


def candidate_json(row: Mapping) -> str:
    """A row of a question table as the JSON object that ``rejections.raw`` holds; see :func:`read_candidate`."""
    return json.dumps({name: row[name] for name in _KEPT if name in row}, ensure_ascii=False)


def read_candidate(raw: str) -> dict | None:
    """The candidate in ``rejections.raw``: question_id, image_id, question, choices, answer_index, question_type, and for
    composed ones composition_kind. None for what could not be parsed into a question, whose raw text is the model's.
    """
    try:
        candidate = json.loads(raw)
    except ValueError:
        return None
    whole = isinstance(candidate, dict) and candidate.keys() - {"composition_kind"} == set(_KEPT) - {"composition_kind"}
    return candidate if whole else None


def reject_candidate(
    outcome: Outcome, asset: str, row: Mapping, reason: str, *, parent_id: str, detail: str = "", position: int = 0,
    measures: Mapping[str, float | None] | None = None,
) -> None:  # fmt: skip
    """Record that the candidate ``row`` of ``asset`` is refused; ``raw`` is all of it."""
    outcome.reject(
        row["shard"], asset, reason, request_key=row["request_key"], parent_id=parent_id, raw=candidate_json(row),
        detail=detail, position=position, measures=measures,
    )  # fmt: skip
