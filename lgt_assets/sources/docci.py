"""Kind ``docci``: the folder of DOCCI as it is published, ``docci_descriptions.jsonlines`` beside ``images/``.

A line is ``{"example_id", "split", "image_file", "description"}`` (Onoe et al. 2024, arXiv 2404.19753). There are no boxes.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from lgt_assets.errors import SourceError
from lgt_assets.sources.manifest_rows import ManifestRow, read_json_lines
from lgt_assets.sources.picture_paths import picture_path
from lgt_assets.sources.records import RowRejected, Source, SourceOptions, SourceProblem, SourceRecord
from lgt_assets.sources.row_fields import required, typed

DESCRIPTIONS = "docci_descriptions.jsonlines"
SPLITS = ("train", "test", "qual_dev", "qual_test")


class DocciOptions(SourceOptions):
    """Where the downloaded files lie, and which part of them is wanted."""

    path: Path = Field(description=f"The folder with {DESCRIPTIONS} and images/.")
    part: Literal["all", "train", "test", "qual_dev", "qual_test"] = Field(
        "all", description="Which of DOCCI's splits."
    )
    license: str = Field("CC-BY-4.0", min_length=1, description="Licence of the pictures.")


class DocciSource(Source):
    """Described photographs; the files stay where they are."""

    kind: ClassVar[str] = "docci"
    Options: ClassVar[type[SourceOptions]] = DocciOptions

    def __init__(self, options: DocciOptions):
        self.options = options.model_copy(update={"path": Path(os.path.abspath(options.path))})
        self.descriptions = self.options.path / DESCRIPTIONS
        if not self.descriptions.is_file():
            raise SourceError(f"there is no {self.descriptions}; --path is the folder that holds it beside images/")

    def expected(self) -> int | None:
        """Unknown before the file is read."""
        return None

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield the lines of the part that is wanted; those of other parts are passed over."""
        file = str(self.descriptions)
        for row in read_json_lines(self.descriptions):
            try:
                record = self._record(row)
            except RowRejected as rejected:
                yield rejected.problem(file, row.number, row.raw)
                continue
            if record is not None:
                yield record

    def _record(self, row: ManifestRow) -> SourceRecord | None:
        if row.rejected is not None:
            raise row.rejected
        fields = typed(row.value, dict, "")
        part = required(fields, "split", str)
        if part not in SPLITS:
            raise RowRejected("bad_split", "split", f"{part[:80]!r} is no split of DOCCI: {', '.join(SPLITS)}")
        if self.options.part not in ("all", part):
            return None
        return SourceRecord(
            file=str(self.descriptions),
            row=row.number,
            external_id=required(fields, "example_id", str),
            path=picture_path(required(fields, "image_file", str), self.options.path / "images"),
            caption=required(fields, "description", str),
            caption_source="human",
            boxes=(),
            box_source="none",
            license=self.options.license,
            raw=row.raw,
        )
