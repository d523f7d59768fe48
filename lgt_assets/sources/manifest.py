"""Kind ``manifest``: the user's own pictures, listed in a JSON Lines, Parquet or CSV file.

A row is ``{"id"?, "image", "caption", "boxes": [{"label", "box": [x0, y0, x1, y1], "phrase"?, "score"?}], "license"?,
"attribution"?, "sha256"?, "width"?, "height"?}``; boxes are in pixels of the stored file, or, with the option
``box_pixels=upright``, of the picture as EXIF turns it. In CSV (and, if you like, in Parquet) ``boxes`` is JSON text. A picture
without boxes says ``[]``, one without a caption ``null`` (in CSV nothing), so that a misspelt field is not taken for none. Other
fields are passed over. A row that says sha256, width and height (as stored) is registered without opening its picture.

``image`` is a path. A relative one starts at the manifest's folder. Wherever it leads, by ``..``, from the root or by symbolic
links, it has to lie in that folder or in one named by the option ``roots``: a manifest that somebody else wrote, or an archive
with links in it, cannot take private pictures into a dataset. Addresses (``https://``, ``s3://``) are fetched, once, from hosts
and buckets that were named in the options, and kept byte for byte below the state folder.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from lgt_assets.errors import SourceError
from lgt_assets.sources.box_formats import parse_box
from lgt_assets.sources.manifest_rows import READERS
from lgt_assets.sources.picture_paths import picture_path
from lgt_assets.sources.records import RowRejected, Source, SourceOptions, SourceProblem, SourceRecord, storable
from lgt_assets.sources.row_fields import declared_sha256, declared_size, external_id, optional, required, typed

if TYPE_CHECKING:
    from lgt_assets.sources.addresses import FetchPolicy
    from lgt_assets.sources.row_addresses import RowAddresses

_ADDRESS = re.compile(r"(?:https?|s3)://", re.IGNORECASE)


def _separated(value: object) -> object:
    """Text from a command line, cut at its commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_separated)]


class ManifestOptions(SourceOptions):
    """Where the manifest lies, and what to note where its rows do not say."""

    path: Path = Field(description="The manifest: .jsonl, .parquet or .csv.")
    license: str = Field("unknown", min_length=1, description="Licence of rows that name none.")
    caption_source: str = Field(
        "manifest", min_length=1, description="Who wrote the captions: human, or a model's name."
    )
    box_source: str = Field("manifest", min_length=1, description="Who drew the boxes: human, or a detector's name.")
    box_pixels: Literal["stored", "upright"] = Field(
        "stored",
        description="Which pixels boxes count where EXIF turns a picture: the file's, or those that are shown.",
    )
    roots: tuple[Path, ...] = Field(
        (), description=f"Further folders that pictures may lie in, with {os.pathsep} between them; / for all."
    )

    @field_validator("roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    hosts: Names = Field(
        (), description="Hosts that pictures may be fetched from, e.g. a.org,*.b.org; '*' for every public one."
    )
    buckets: Names = Field((), description="S3 buckets that pictures may be read from.")
    plain_http: bool = Field(False, description="Also fetch from http://, which anybody on the way can change.")
    private_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_separated)] = Field(
        (), description="Networks that are not public and may be reached all the same, e.g. 10.1.2.0/24."
    )
    most_megabytes: int = Field(
        64, ge=1, le=256, description="Largest picture that is fetched, in units of 2**20 bytes."
    )

    def policy(self) -> "FetchPolicy":
        """Which addresses of the web may be fetched, where hosts are named."""
        from lgt_assets.sources.addresses import FetchPolicy

        return FetchPolicy(
            schemes=("https", "http") if self.plain_http else ("https",),
            hosts=() if self.hosts == ("*",) else self.hosts,
            private_networks=self.private_networks,
            most_bytes=self.most_megabytes * 2**20,
        )


class ManifestSource(Source):
    """Rows of a manifest, read as they are needed."""

    kind: ClassVar[str] = "manifest"
    Options: ClassVar[type[SourceOptions]] = ManifestOptions

    def __init__(self, options: ManifestOptions):
        self._addresses: RowAddresses | None = None
        path = Path(os.path.abspath(options.path))
        roots = tuple(Path(os.path.abspath(root)) for root in options.roots)
        self.options = options.model_copy(update={"path": path, "roots": roots})
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

    def close(self) -> None:
        """Close connections."""
        if self._addresses is not None:
            self._addresses.close()

    def _record(self, value: object, number: int, raw: str) -> SourceRecord:
        fields = typed(value, dict, "")
        options = self.options
        image = required(fields, "image", str)
        record = SourceRecord(
            file=str(options.path),
            row=number,
            external_id=external_id(fields.get("id")),
            path=Path(image) if _ADDRESS.match(image) else picture_path(image, options.path.parent, options.roots),
            caption=_caption(fields),
            caption_source=options.caption_source,
            boxes=tuple(parse_box(box, f"boxes[{i}]") for i, box in enumerate(required(fields, "boxes", list))),
            box_source=options.box_source,
            license=optional(fields, "license", str) or options.license,
            attribution=optional(fields, "attribution", str),
            raw=raw,
            boxes_upright=options.box_pixels == "upright",
            expected_sha256=declared_sha256(fields),
            declared_size=declared_size(fields),
        )
        return replace(record, **self._opened().addressed(image)._asdict()) if _ADDRESS.match(image) else record

    def _opened(self) -> "RowAddresses":
        """What fetches; it loads aiohttp, which a manifest of files needs not."""
        if self._addresses is None:
            from lgt_assets.sources.row_addresses import RowAddresses

            options = self.options
            self._addresses = RowAddresses(
                options.policy() if options.hosts else None, options.buckets, options.most_megabytes * 2**20
            )  # fmt: skip
        return self._addresses


def _caption(fields: Mapping) -> str | None:
    """The caption; None where the row says that it has none, by null or an empty cell."""
    if "caption" not in fields:
        raise RowRejected("missing_field", "caption", 'caption is missing; a picture without one says "caption": null')
    return optional(fields, "caption", str)
