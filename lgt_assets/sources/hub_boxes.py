"""Boxes in a column of a hub dataset: a list of structs, or, as object detection datasets have it, a struct of lists."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lgt_assets.sources.box_formats import BoxFormat, corners_of
from lgt_assets.sources.records import RowRejected, SourceBox
from lgt_assets.sources.row_fields import described, number, optional


class BoxColumns(Protocol):
    """How a dataset's boxes are written."""

    boxes: str | None
    box: str
    label: str
    box_format: BoxFormat | None


def boxes_of(value: object, columns: BoxColumns, names: Sequence[str]) -> tuple[SourceBox, ...]:
    """Boxes of one row.

    Args:
        value: the cell; null is no box.
        columns: which fields hold what.
        names: of classes, where labels are numbers.

    Raises:
        RowRejected: a field is missing or of another type, or a label has no name.
    """
    name = str(columns.boxes)
    boxes = []
    for index, entry in enumerate(_entries(value, columns, name)):
        field = f"{name}[{index}]"
        edges = entry.get(columns.box)
        if not isinstance(edges, list | tuple):
            raise RowRejected(
                "missing_field", f"{field}.{columns.box}", f"{described(edges)} where four numbers should be"
            )
        corners = corners_of(edges, columns.box_format or "xyxy", f"{field}.{columns.box}")
        label = _label(entry.get(columns.label), names, f"{field}.{columns.label}")
        score = entry.get("score")
        boxes.append(
            SourceBox(
                label, optional(entry, "phrase", str, field) or label, *corners,
                1.0 if score is None else number(score, f"{field}.score"),
            )
        )  # fmt: skip
    return tuple(boxes)


def _entries(value: object, columns: BoxColumns, name: str) -> list[Mapping]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    if not isinstance(value, dict):
        raise RowRejected("bad_type", name, f"{name} is {described(value)}; it should be boxes")
    lists = {field: entries for field, entries in value.items() if isinstance(entries, list)}
    edges = lists.get(columns.box, [])
    used = {field: lists[field] for field in (columns.box, columns.label, "phrase", "score") if field in lists}
    if any(len(entries) != len(edges) for entries in used.values()):
        counts = ", ".join(f"{field} {len(entries)}" for field, entries in used.items())
        raise RowRejected("bad_type", name, f"lists of different lengths: {counts}")
    if not edges and any(lists.values()):
        raise RowRejected("missing_field", f"{name}.{columns.box}", f"{name} has no {columns.box}; see --option box")
    return [{field: entries[index] for field, entries in used.items()} for index in range(len(edges))]


def _label(value: object, names: Sequence[str], field: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < len(names):
            return names[value]
        raise RowRejected(
            "unknown_label", field, f"class {value} has no name in the file's features, which have {len(names)}"
        )
    if not isinstance(value, str):
        raise RowRejected("missing_field", field, f"{described(value)} where a label should be; see --option label")
    return value
