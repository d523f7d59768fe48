"""Kind ``webdataset``: tar files whose members belong together by their name up to the first dot.

``000017.jpg``, ``000017.txt`` and ``000017.json`` are one row. The caption is the ``.txt``, else a field of the ``.json``; boxes,
licence and credit are fields of the ``.json``, written as in a manifest. A picture's exact bytes are kept below the state folder.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lgt_assets.errors import SourceError
from lgt_assets.sources.box_formats import parse_box
from lgt_assets.sources.records import RowRejected, Source, SourceOptions, SourceProblem, SourceRecord, storable
from lgt_assets.sources.row_fields import external_id, optional, typed
from lgt_assets.sources.tar_samples import TarSample, samples_of

PICTURES = ("jpg", "jpeg", "png", "webp")


class WebdatasetOptions(SourceOptions):
    """Where the shards lie, and what their JSON calls things."""

    path: Path = Field(description="A .tar file, a folder of them, or a pattern such as 'shards/train-*.tar'.")
    caption: str = Field(
        "caption", min_length=1, description="Field of the .json with the caption where there is no .txt."
    )
    boxes: str = Field(
        "boxes", min_length=1, description="Field of the .json with boxes as in a manifest; may be absent."
    )
    license: str = Field("unknown", min_length=1, description="Licence of rows that name none.")
    caption_source: str = Field("webdataset", min_length=1, description="Who wrote the captions: human, or a model.")
    box_source: str = Field("webdataset", min_length=1, description="Who drew the boxes: human, or a detector.")


class WebdatasetSource(Source):
    """Samples of tar files, in the order of their names, read from front to back."""

    kind: ClassVar[str] = "webdataset"
    Options: ClassVar[type[SourceOptions]] = WebdatasetOptions

    def __init__(self, options: WebdatasetOptions):
        path = Path(os.path.abspath(options.path))
        self.options = options.model_copy(update={"path": path})
        self.files = _tar_files(path)
        if not self.files:
            raise SourceError(f"there is no .tar file at {path}; --path is one, a folder of them, or a quoted pattern")

    def expected(self) -> int | None:
        """Unknown before the files are read."""
        return None

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield one row a sample. A file that is torn is one problem, after the samples before the tear."""
        number = 0
        for file in self.files:
            try:
                for number, sample in enumerate(samples_of(file), start=1):
                    try:
                        yield self._record(file, number, sample)
                    except RowRejected as rejected:
                        yield rejected.problem(str(file), number, storable(sample.key))
            except RowRejected as rejected:
                yield rejected.problem(str(file), number + 1, file.name)

    def _record(self, file: Path, number: int, sample: TarSample) -> SourceRecord:
        if sample.rejected is not None:
            raise sample.rejected
        origin = f"{file}#{sample.key}.{_picture_member(sample)}"
        if storable(origin) != origin:
            raise RowRejected("bad_encoding", "key", f"{storable(sample.key)} is not valid UTF-8; rename the member")
        fields = _fields(sample.members.get("json"))
        text = sample.members.get("txt")
        caption = optional(fields, self.options.caption, str) if text is None else _decoded(text, "txt").strip()
        if caption is None:
            raise RowRejected(
                "missing_field",
                "caption",
                f"there is neither .txt nor {self.options.caption!r} in .json; see --option caption",
            )
        return SourceRecord(
            file=str(file),
            row=number,
            external_id=external_id(fields.get("id")) or sample.key,
            path=Path(origin),
            caption=caption,
            caption_source=self.options.caption_source,
            boxes=tuple(
                parse_box(box, f"boxes[{i}]") for i, box in enumerate(optional(fields, self.options.boxes, list) or ())
            ),
            box_source=self.options.box_source,
            license=optional(fields, "license", str) or self.options.license,
            attribution=optional(fields, "attribution", str),
            raw=storable(json.dumps({"key": sample.key, "txt": caption} | fields, ensure_ascii=False, default=str)),
            origin=origin,
            content=sample.members[_picture_member(sample)],
        )


def _tar_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = path.glob("*.tar*") if path.is_dir() else path.parent.glob(path.name)
    return sorted(file for file in found if file.is_file() and ".tar" in file.suffixes)


def _picture_member(sample: TarSample) -> str:
    found = [ending for ending in PICTURES if ending in sample.members]
    if len(found) != 1:
        said = f"{len(found)} pictures ({', '.join(found)})" if found else "no picture"
        raise RowRejected(
            "several_pictures" if found else "missing_field",
            "image",
            f"the sample has {said}, and members {', '.join(sorted(sample.members))[:200]}; it should have one of "
            f"{', '.join(PICTURES)}",
        )
    return found[0]


def _fields(content: bytes | None) -> Mapping:
    if content is None:
        return {}
    try:
        return typed(json.loads(_decoded(content, "json")), dict, "json")
    except (ValueError, RecursionError) as error:
        raise RowRejected("bad_json", "json", f"the .json is not one JSON object ({error})") from error


def _decoded(content: bytes, field: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowRejected("bad_encoding", field, f"the .{field} is not valid UTF-8 ({error.reason})") from error
