"""Kind ``manifest``: the user's own pictures, listed in a JSON Lines, Parquet or CSV file.

A row is ``{"id"?, "image", "caption", "boxes": [{"label", "box": [x0, y0, x1, y1], "phrase"?, "score"?}], "license"?,
"attribution"?}``; boxes are in pixels of the stored file. In CSV (and, if you like, in Parquet) ``boxes`` is JSON text. A
picture without boxes says ``[]``, one without a caption ``null`` (in CSV nothing), so that a misspelt field is not taken for
none. Other fields are passed over.

``image`` is a path. A relative one starts at the manifest's folder and may not climb out of it by ``..``: a manifest that
somebody else wrote should not reach the files around it by accident. An absolute one, or a symbolic link inside the folder, is
taken as it is: whoever adds a manifest may read those files anyway.
"""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lgt_assets.errors import SourceError
from lgt_assets.sources.manifest_rows import READERS
from lgt_assets.sources.records import RowRejected, SourceBox, SourceOptions, SourceProblem, SourceRecord, storable

_NAMES = {str: "text", list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}


class ManifestOptions(SourceOptions):
    """Where the manifest lies, and what to note where its rows do not say."""

    path: Path = Field(description="The manifest: .jsonl, .parquet or .csv.")
    license: str = Field("unknown", min_length=1, description="Licence of rows that name none.")
    caption_source: str = Field(
        "manifest", min_length=1, description="Who wrote the captions: human, or a model's name."
    )
    box_source: str = Field("manifest", min_length=1, description="Who drew the boxes: human, or a detector's name.")


class ManifestSource:
    """Rows of a manifest, read as they are needed."""

    kind: ClassVar[str] = "manifest"
    Options: ClassVar[type[SourceOptions]] = ManifestOptions

    def __init__(self, options: ManifestOptions):
        path = Path(os.path.abspath(options.path))
        self.options = options.model_copy(update={"path": path})
        if storable(str(path)) != str(path):
            raise SourceError(f"{storable(str(path))}: the path is not valid UTF-8; rename the folder")
        if path.suffix.lower() not in READERS:
            raise SourceError(f"{path}: a manifest ends in {', '.join(READERS)}")
        if not path.is_file():
            raise SourceError(f"there is no manifest {path}; check --path")

    def expected(self) -> int | None:
        """Unknown before the file is read."""
        return None

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield every row as a record or a problem; pictures stay where they are.

        Raises:
            SourceError: the file as a whole cannot be read, or lacks a column.
        """
        path = self.options.path
        for row in READERS[path.suffix.lower()](path):
            try:
                if row.rejected is not None:
                    raise row.rejected
                yield self._record(row.value, row.number, row.raw)
            except RowRejected as rejected:
                yield rejected.problem(str(path), row.number, row.raw)

    def _record(self, value: object, number: int, raw: str) -> SourceRecord:
        fields = _typed(value, dict, "")
        options = self.options
        return SourceRecord(
            file=str(options.path),
            row=number,
            external_id=_external_id(fields.get("id")),
            path=picture_path(_required(fields, "image", str), options.path.parent),
            caption=_caption(fields),
            caption_source=options.caption_source,
            boxes=tuple(parse_box(box, f"boxes[{i}]") for i, box in enumerate(_required(fields, "boxes", list))),
            box_source=options.box_source,
            license=_optional(fields, "license", str) or options.license,
            attribution=_optional(fields, "attribution", str),
            raw=raw,
        )


def _caption(fields: Mapping) -> str | None:
    """The caption; None where the row says that it has none, by null or an empty cell."""
    if "caption" not in fields:
        raise RowRejected("missing_field", "caption", 'caption is missing; a picture without one says "caption": null')
    return _optional(fields, "caption", str)


def picture_path(text: str, folder: Path) -> Path:
    """The absolute path that a row's ``image`` means. Raises RowRejected: empty, no possible path, or out of ``folder``."""
    if not text.strip():
        raise RowRejected("missing_field", "image", "image is empty; name the picture's file")
    if "\0" in text or storable(text) != text:
        raise RowRejected("unsafe_path", "image", f"{text!r} cannot be the name of a file")
    path = Path(os.path.normpath(text))
    if not path.is_absolute() and path.parts[:1] == ("..",):
        raise RowRejected(
            "unsafe_path", "image", f"{text!r} leaves the manifest's folder; give an absolute path if it is meant"
        )
    return folder / path


def parse_box(value: object, field: str) -> SourceBox:
    """One entry of ``boxes``. Raises RowRejected where a field is missing or of another type."""
    fields = _typed(value, dict, field)
    label = _required(fields, "label", str, field)
    edges = _required(fields, "box", list, field)
    if len(edges) != 4:
        raise RowRejected("bad_type", f"{field}.box", f"{len(edges)} entries; a box reads [x0, y0, x1, y1]")
    x0, y0, x1, y1 = (_number(edge, f"{field}.box") for edge in edges)
    phrase = _optional(fields, "phrase", str, field)
    score = fields.get("score")
    return SourceBox(
        label=label,
        phrase=label if phrase is None else phrase,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        score=1.0 if score is None else _number(score, f"{field}.score"),
    )


def _external_id(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowRejected("bad_type", "id", f"id is {_described(value)}; give text or a whole number")
    return str(value)


def _number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRejected("bad_type", field, f"{_described(value)} where a number should be, without quotes")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _required(fields: Mapping, name: str, kind: type, inside: str = "") -> object:
    value = _optional(fields, name, kind, inside)
    if value is None:
        field = f"{inside}.{name}" if inside else name
        hint = '; a picture without boxes says "boxes": []' if field == "boxes" else ""
        raise RowRejected("missing_field", field, f"{field} is missing{hint}")
    return value


def _optional(fields: Mapping, name: str, kind: type, inside: str = "") -> object:
    value = fields.get(name)
    return value if value is None else _typed(value, kind, f"{inside}.{name}" if inside else name)


def _typed(value: object, kind: type, field: str) -> object:
    if not isinstance(value, kind):
        raise RowRejected(
            "bad_type", field, f"{field or 'the row'} is {_described(value)}; it should be {_NAMES[kind]}"
        )
    return value


def _described(value: object) -> str:
    if value is None:
        return "null"
    name = _NAMES.get(type(value), type(value).__name__)
    return name if isinstance(value, list | dict) else f"{name} ({str(value)[:80]!r})"
