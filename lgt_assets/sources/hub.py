"""Kind ``hub``: Parquet files of a Hugging Face dataset with an ``Image`` column, in a folder or behind an address.

An ``Image`` is a struct of ``bytes`` (the file as it was) and ``path`` (its old name). Which columns hold caption, boxes and so
on is said by options. Files are read some rows at a time; a picture's exact bytes are kept below the state folder.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from lgt_assets.errors import SourceError
from lgt_assets.sources.box_formats import BoxFormat
from lgt_assets.sources.hub_boxes import boxes_of
from lgt_assets.sources.hub_files import class_names, read_rows
from lgt_assets.sources.records import RowRejected, Source, SourceOptions, SourceProblem, SourceRecord, storable
from lgt_assets.sources.row_fields import described, external_id, optional

_REMOTE = re.compile(r"(hf|https|s3)://")


class HubOptions(SourceOptions):
    """Where the files lie, and which column is what."""

    path: str = Field(
        description="A folder of .parquet files as the hub lays them out, one file, or hf://, https:// or s3:// with a pattern."
    )
    part: str | None = Field(None, pattern=r"^[\w.-]+$", description="Only files of this split, e.g. train.")
    image: str = Field("image", min_length=1, description="Column of type Image.")
    caption: str = Field("caption", min_length=1, description="Column with the caption; of a list, all its texts.")
    id: str | None = Field(None, min_length=1, description="Column with the picture's id.")
    boxes: str | None = Field(None, min_length=1, description="Column with boxes, e.g. objects; needs box_format.")
    box: str = Field("bbox", min_length=1, description="Field of boxes with the four numbers.")
    label: str = Field("category", min_length=1, description="Field of boxes with the label: text, or a ClassLabel.")
    box_format: BoxFormat | None = Field(None, description="xywh (left, top, width, height) or xyxy, in pixels.")
    license_column: str | None = Field(None, min_length=1, description="Column with the licence.")
    attribution: str | None = Field(None, min_length=1, description="Column with the credit.")
    license: str = Field("unknown", min_length=1, description="Licence of rows that name none.")
    caption_source: str = Field("hub", min_length=1, description="Who wrote the captions: human, or a model's name.")
    box_source: str = Field("hub", min_length=1, description="Who drew the boxes: human, or a detector's name.")

    @model_validator(mode="after")
    def _boxes_have_a_format(self) -> "HubOptions":
        if self.boxes is not None and self.box_format is None:
            raise ValueError("boxes needs box_format: xywh or xyxy, which no file says")
        return self

    def columns(self) -> list[str]:
        """Columns that are read."""
        named = (self.image, self.caption, self.id, self.boxes, self.license_column, self.attribution)
        return [name for name in dict.fromkeys(named) if name is not None]


class HubSource(Source):
    """Rows of Parquet files in the order of the files' names."""

    kind: ClassVar[str] = "hub"
    Options: ClassVar[type[SourceOptions]] = HubOptions

    def __init__(self, options: HubOptions):
        is_remote = _REMOTE.match(options.path) is not None
        self.options = options if is_remote else options.model_copy(update={"path": os.path.abspath(options.path)})
        self.files = [options.path] if is_remote else _parquet_files(Path(self.options.path), options.part)
        if is_remote and options.part is not None:
            raise SourceError("part chooses among the files of a folder; of an address, name the split in its pattern")
        if not self.files:
            raise SourceError(
                f"there is no .parquet file{f' of split {options.part}' if options.part else ''} at {self.options.path}; "
                "--option path is the folder of a downloaded dataset"
            )

    def expected(self) -> int | None:
        """Unknown before the files are read."""
        return None

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield every row as a record or a problem.

        Raises:
            SourceError: a file cannot be read, or lacks a column.
        """
        for file in self.files:
            names = class_names(file, self.options.boxes, self.options.label) if self.options.boxes else ()
            for number, cells in enumerate(read_rows(file, self.options.columns()), start=1):
                content, path = _image(cells.pop(self.options.image))
                raw = storable(json.dumps(cells | {"path": path}, ensure_ascii=False, default=str))
                try:
                    yield self._record(file, number, cells, content, path, names, raw)
                except RowRejected as rejected:
                    yield rejected.problem(file, number, raw)

    def _record(
        self, file: str, number: int, cells: Mapping, content: object, path: str | None, names: tuple[str, ...], raw: str
    ) -> SourceRecord:  # fmt: skip
        options = self.options
        if not isinstance(content, bytes):
            raise RowRejected(
                "missing_field",
                options.image,
                f"the row holds no bytes, only the name {path!r}; datasets' push_to_hub and to_parquet embed them"
                if content is None else f"column {options.image} is {described(content)}; it should be an Image",
            )  # fmt: skip
        origin = f"{file}#{number}"
        return SourceRecord(
            file=file,
            row=number,
            external_id=external_id(cells[options.id]) if options.id else None,
            path=Path(origin),
            caption=_caption(cells[options.caption], options.caption),
            caption_source=options.caption_source,
            boxes=boxes_of(cells[options.boxes], options, names) if options.boxes else (),
            box_source=options.box_source,
            license=(optional(cells, options.license_column, str) if options.license_column else None)
            or options.license,
            attribution=optional(cells, options.attribution, str) if options.attribution else None,
            raw=raw,
            origin=origin,
            content=content,
        )


def _parquet_files(path: Path, part: str | None) -> list[str]:
    """Files below a folder by name; of one split: ``data/train-00000-of-00002.parquet``, ``default/train/0000.parquet``."""
    if path.is_file():
        return [str(path)]
    found = sorted(file for file in path.rglob("*.parquet") if file.is_file())
    of_part = re.compile(rf"(?:^|/)(?:partial-)?{re.escape(part or '')}(?:[-./_]|$)")
    return [str(file) for file in found if part is None or of_part.search(file.relative_to(path).as_posix())]


def _image(value: object) -> tuple[object, str | None]:
    """Bytes and old name of an ``Image``; a column of plain bytes does as well."""
    if isinstance(value, dict):
        name = value.get("path")
        return value.get("bytes"), storable(name) if isinstance(name, str) else None
    return value, None


def _caption(value: object, field: str) -> str:
    if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
        return " ".join(dict.fromkeys(text.strip() for text in value))
    if value is None or value == []:
        raise RowRejected("missing_field", field, f"{field} is empty")
    if not isinstance(value, str):
        raise RowRejected("bad_type", field, f"{field} is {described(value)}; it should be text")
    return value
