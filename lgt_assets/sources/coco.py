"""Kind ``coco``: instances and captions in COCO's JSON, and a folder of pictures.

A picture's captions are joined into one. Boxes read [left, top, width, height]; what leaves the picture by less than a pixel, as
rounding does, is cut. Segmentations are not used. An annotation that is no box of one object, a crowd or a box without
area, is refused by itself: its picture stays.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from lgt_assets.errors import SourceError
from lgt_assets.sources.box_formats import corners_of
from lgt_assets.sources.coco_annotations import CocoAnnotations, CocoBox, CocoPicture
from lgt_assets.sources.inspection import check_box
from lgt_assets.sources.picture_paths import picture_path
from lgt_assets.sources.records import RowRejected, Source, SourceBox, SourceOptions, SourceProblem, SourceRecord
from lgt_assets.sources.row_fields import described, external_id, typed

ROUNDING_PIXELS = 1.0


class CocoOptions(SourceOptions):
    """Where the files lie. With ``path`` and ``part`` the names are those of the download."""

    path: Path = Field(description="The folder with annotations/ and the folders of pictures.")
    part: str = Field(
        "val2017", pattern=r"^[\w.-]+$", description="Which part: val2017 means annotations/*_val2017.json."
    )
    instances: Path | None = Field(None, description="Instances, if elsewhere than annotations/instances_PART.json.")
    captions: Path | None = Field(None, description="Captions, if elsewhere than annotations/captions_PART.json.")
    images: Path | None = Field(None, description="Pictures, if elsewhere than PART/.")
    caption: Literal["joined", "longest"] = Field("joined", description="What is made of a picture's captions.")
    crowd: Literal["refuse", "keep"] = Field("refuse", description="Boxes around groups (iscrowd): refused, or kept.")
    license: str = Field("unknown", min_length=1, description="Licence of pictures that name none.")


class CocoSource(Source):
    """Pictures with captions and boxes that people wrote; the files stay where they are."""

    kind: ClassVar[str] = "coco"
    Options: ClassVar[type[SourceOptions]] = CocoOptions

    def __init__(self, options: CocoOptions):
        root = Path(os.path.abspath(options.path))
        annotations = root / "annotations"
        given = {
            "path": root,
            "instances": options.instances or _if_there(annotations / f"instances_{options.part}.json"),
            "captions": options.captions or annotations / f"captions_{options.part}.json",
            "images": options.images or root / options.part,
        }
        self.options = options.model_copy(
            update={name: path and Path(os.path.abspath(path)) for name, path in given.items()}
        )
        for name in ("instances", "captions"):
            path = getattr(self.options, name)
            if path is not None and not path.is_file():
                raise SourceError(f"there is no {path}; give --option part=…, or --option {name}=…")

    def expected(self) -> int | None:
        """Unknown before the files are read."""
        return None

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield every picture in the order of the file, each followed by its refused annotations.

        Raises:
            SourceError: a file cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="lgt-coco-") as folder:
            found = CocoAnnotations(Path(folder) / "annotations.sqlite", self.options.instances, self.options.captions)
            with closing(found) as annotations:
                for picture in annotations.pictures():
                    yield from self._rows(picture, annotations)

    def _rows(self, picture: CocoPicture, annotations: CocoAnnotations) -> Iterator[SourceRecord | SourceProblem]:
        file = str(self.options.instances or self.options.captions)
        boxes, refused = [], []
        try:
            width, height = _side(picture.width, "width"), _side(picture.height, "height")
            for box in annotations.boxes(picture.id):
                try:
                    boxes.append(self._box(box, annotations, width, height))
                except RowRejected as rejected:
                    refused.append(rejected.problem(file, box.number, box.raw))
            yield SourceRecord(
                file=file,
                row=picture.number,
                external_id=external_id(picture.id),
                path=picture_path(typed(picture.file_name, str, "file_name"), self.options.images),
                caption=self._caption(annotations.captions(picture.id)),
                caption_source="human",
                boxes=tuple(boxes),
                box_source="human",
                license=annotations.license(picture.license) or self.options.license,
                raw=picture.raw,
            )
        except RowRejected as rejected:
            yield rejected.problem(file, picture.number, picture.raw)
        yield from refused

    def _box(self, box: CocoBox, annotations: CocoAnnotations, width: float, height: float) -> SourceBox:
        field = "bbox"
        label = annotations.category(box.category)
        if label is None:
            raise RowRejected("unknown_label", "category_id", f"{described(box.category)} is no category of the file")
        if box.is_crowd and self.options.crowd == "refuse":
            raise RowRejected(
                "crowd_box",
                "iscrowd",
                f"the box marks a group of {label}, not one; --option crowd=keep takes it for one",
            )
        x0, y0, x1, y1 = corners_of(typed(box.bbox, list, field), "xywh", field)
        if -ROUNDING_PIXELS < x0 and x1 < width + ROUNDING_PIXELS:
            x0, x1 = max(x0, 0.0), min(x1, width)
        if -ROUNDING_PIXELS < y0 and y1 < height + ROUNDING_PIXELS:
            y0, y1 = max(y0, 0.0), min(y1, height)
        found = SourceBox(label, label, x0, y0, x1, y1)
        check_box(found, field)
        return found

    def _caption(self, captions: list[str | None]) -> str:
        texts = list(dict.fromkeys(text.strip() for text in captions if text is not None and text.strip()))
        if not texts:
            raise RowRejected("missing_field", "caption", "the captions' file has no caption of this picture")
        return max(texts, key=len) if self.options.caption == "longest" else " ".join(texts)


def _side(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise RowRejected("bad_type", field, f"{field} is {described(value)}; it should be a number of pixels")
    return float(value)


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
