"""Kind ``photos``: twelve real photographs that arrive inside scikit-image and scikit-learn (extra ``photos``)."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import yaml

from lgt_assets.errors import SourceError
from lgt_assets.sources.files import write_atomically
from lgt_assets.sources.inspection import inspect
from lgt_assets.sources.records import Source, SourceBox, SourceOptions, SourceProblem, SourceRecord

DESCRIPTIONS = Path(__file__).parent / "photos.yaml"
WRITTEN_BY = "lgt_assets contributors"


class PhotosOptions(SourceOptions):
    """There is nothing to choose."""


class PhotosSource(Source):
    """Photographs with captions and boxes written for this project; the files stay inside their packages."""

    kind: ClassVar[str] = "photos"
    Options: ClassVar[type[SourceOptions]] = PhotosOptions

    def __init__(self, options: PhotosOptions):
        self.options = options
        self.descriptions = yaml.safe_load(DESCRIPTIONS.read_text(encoding="utf-8"))
        self.folders = {
            package: package_folder(package) for package in {entry["package"] for entry in self.descriptions}
        }

    def expected(self) -> int | None:
        """Twelve."""
        return len(self.descriptions)

    def records(self, pictures: Path) -> Iterator[SourceRecord]:
        """Yield the photographs where they lie; nothing is written to ``pictures``."""
        for row, entry in enumerate(self.descriptions, start=1):
            yield SourceRecord(
                file=DESCRIPTIONS.name,
                row=row,
                external_id=entry["id"],
                path=self.folders[entry["package"]] / entry["file"],
                caption=entry["caption"],
                caption_source=WRITTEN_BY,
                boxes=tuple(SourceBox(box["label"], box["phrase"], *map(float, box["box"])) for box in entry["boxes"]),
                box_source=WRITTEN_BY,
                license=entry["license"],
                attribution=entry["attribution"],
                raw=json.dumps(entry, ensure_ascii=False),
                expected_sha256=entry["sha256"],
            )


def package_folder(package: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        SourceError: it is not installed; the message has the command that mends it.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"the photographs need {package}, which is not installed: pip install -e '.[photos]'")
    return Path(next(iter(spec.submodule_search_locations)))


def write_manifest(folder: Path) -> Path:
    """Write the photographs as a manifest of one's own: ``folder/photos.jsonl`` and byte-for-byte copies beside it.

    An example of the format, to edit and to add with ``lgt sources add NAME --kind manifest --path FOLDER/photos.jsonl``.

    Returns:
        the manifest's path.

    Raises:
        SourceError: the packages are not installed, or hold other pictures.
    """
    lines = []
    for record in PhotosSource(PhotosOptions()).records(folder):
        looked_at = inspect(record)
        if isinstance(looked_at, SourceProblem):
            raise SourceError(looked_at.detail)
        write_atomically(folder / "pictures" / record.path.name, record.path.read_bytes())
        row = {
            "id": record.external_id,
            "image": f"pictures/{record.path.name}",
            "caption": record.caption,
            "boxes": [
                {"label": box.label, "phrase": box.phrase, "box": [box.x0, box.y0, box.x1, box.y1]}
                for box in record.boxes
            ],
            "license": record.license,
            "attribution": record.attribution,
        }
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    path = folder / "photos.jsonl"
    write_atomically(path, "".join(lines).encode("utf-8"))
    return path
