"""Boxes as datasets write them, turned into corners in pixels of the stored file."""

from collections.abc import Sequence
from typing import Literal

from lgt_assets.sources.records import RowRejected, SourceBox
from lgt_assets.sources.row_fields import number, optional, required, typed

BoxFormat = Literal["xyxy", "xywh"]


def parse_box(value: object, field: str) -> SourceBox:
    """One entry of ``boxes``. Raises RowRejected where a field is missing or of another type."""
    fields = typed(value, dict, field)
    label = required(fields, "label", str, field)
    edges = required(fields, "box", list, field)
    if len(edges) != 4:
        raise RowRejected("bad_type", f"{field}.box", f"{len(edges)} entries; a box reads [x0, y0, x1, y1]")
    x0, y0, x1, y1 = (number(edge, f"{field}.box") for edge in edges)
    phrase = optional(fields, "phrase", str, field)
    score = fields.get("score")
    return SourceBox(
        label=label,
        phrase=label if phrase is None else phrase,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        score=1.0 if score is None else number(score, f"{field}.score"),
    )


def corners_of(edges: Sequence[object], box_format: BoxFormat, field: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of a box.

    Args:
        edges: ``xyxy``: those edges; ``xywh``, as in COCO: left, top, width and height.
        box_format: which.
        field: what messages call it.

    Raises:
        RowRejected: they are not four numbers.
    """
    if len(edges) != 4:
        raise RowRejected("bad_type", field, f"{len(edges)} entries; a box has four numbers")
    first, second, third, fourth = (number(edge, field) for edge in edges)
    if box_format == "xywh":
        return first, second, first + third, second + fourth
    return first, second, third, fourth
