"""Looks at a record's picture: is the file there, whole and of a sane size, and do the boxes lie inside?"""

import hashlib
import io
import math
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from lgt_assets.sources.records import Picture, RowRejected, SourceBox, SourceProblem, SourceRecord

MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
# Formats that trainers read; Pillow's others are rare, and some start outside programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def inspect(record: SourceRecord, sizes: Mapping[str, tuple[int, int]] | None = None) -> Picture | SourceProblem:
    """The record with its picture's sha256 and size, or why it cannot be used. Never raises for bad content.

    Args:
        record: what the source says.
        sizes: width and height by sha256 of pictures known to be whole; these are not decoded again.
    """
    try:
        check_texts(record)
        for index, box in enumerate(record.boxes):
            check_box(box, f"boxes[{index}].box")
        data = read_picture(record.path)
        sha256 = hashlib.sha256(data).hexdigest()
        if record.expected_sha256 not in (None, sha256):
            raise RowRejected(
                "changed_file",
                "image",
                f"{record.path} is not the picture that caption and boxes were written for (sha256 {sha256} instead of "
                f"{record.expected_sha256}); install the version of its package that holds it",
            )
        width, height = (sizes or {}).get(sha256) or decoded_size(data, record.path)
        for index, box in enumerate(record.boxes):
            check_inside(box, width, height, f"boxes[{index}].box")
        return Picture(record, sha256, width, height)
    except RowRejected as rejected:
        return rejected.problem(record.file, record.row, record.raw)


def check_texts(record: SourceRecord) -> None:
    """Raise RowRejected where a text is blank or cannot be stored."""
    texts = {"license": record.license}
    texts |= {f"boxes[{i}].label": box.label for i, box in enumerate(record.boxes)}
    texts |= {f"boxes[{i}].phrase": box.phrase for i, box in enumerate(record.boxes)}
    optional = {"caption": record.caption, "id": record.external_id, "attribution": record.attribution}
    for field, text in (texts | {name: text for name, text in optional.items() if text is not None}).items():
        if not text.strip():
            raise RowRejected(f"{field.rpartition('.')[2]}_empty", field, f"write something in {field}")
        check_encoding(text, field)


def check_encoding(text: str, field: str) -> None:
    """Raise RowRejected where ``text`` is not valid Unicode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise RowRejected("bad_encoding", field, f"{field} is not valid UTF-8; save the file as UTF-8") from None


def check_box(box: SourceBox, field: str) -> None:
    """Raise RowRejected where a box is no box whatever the picture: not finite, or without area."""
    edges = (box.x0, box.y0, box.x1, box.y1)
    if not all(math.isfinite(edge) for edge in edges):
        raise RowRejected("box_not_finite", field, f"{list(edges)} holds NaN or infinity; give four numbers of pixels")
    if box.x0 >= box.x1 or box.y0 >= box.y1:
        raise RowRejected(
            "box_without_area", field, f"{list(edges)}: a box reads [x0, y0, x1, y1] with x0 < x1 and y0 < y1"
        )
    if not 0 <= box.score <= 1:
        raise RowRejected("score_outside", field.replace(".box", ".score"), f"score {box.score} is not in [0, 1]")


def check_inside(box: SourceBox, width: int, height: int, field: str) -> None:
    """Raise RowRejected where a box leaves the picture."""
    if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
        raise RowRejected(
            "box_outside",
            field,
            f"[{box.x0}, {box.y0}, {box.x1}, {box.y1}] leaves the picture of {width} x {height} pixels; "
            "give the box in pixels of the stored file",
        )


def read_picture(path: Path) -> bytes:
    """The file's bytes. Raises RowRejected: missing, not a regular file, empty, too large, or unreadable."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RowRejected("not_a_file", "image", f"{path} is a folder or a device; name a picture's file")
        if status.st_size == 0:
            raise RowRejected("unreadable_image", "image", f"{path} is empty; copy it again")
        if status.st_size > MAX_BYTES:
            raise RowRejected(
                "image_too_large", "image", f"{path} has {status.st_size} bytes; the limit is {MAX_BYTES}"
            )
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise RowRejected(
            "missing_file", "image", f"there is no {path}; relative paths start at the manifest's folder"
        ) from None
    except OSError as error:
        raise RowRejected(
            "unreadable_file", "image", f"{path}: {error.strerror}; check its name and permissions"
        ) from error


def decoded_size(data: bytes, path: Path) -> tuple[int, int]:
    """Width and height in pixels; decodes every pixel, so a truncated file does not pass.

    Raises:
        RowRejected: not a picture, broken, or larger than ``MAX_PIXELS`` (judged by its header, before memory is taken).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on odd metadata, which changes no pixel.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height <= MAX_PIXELS:
                    image.load()
                    return width, height
        size = f"is {width} x {height} pixels"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = "has far too many pixels"
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly anything on hostile bytes; all of it means one thing here.
        raise RowRejected(
            "unreadable_image",
            "image",
            f"{path} is not a whole picture ({type(error).__name__}: {error}); copy it again, or convert it to one of "
            f"{', '.join(FORMATS)}",
        ) from error
    raise RowRejected("image_too_large", "image", f"{path} {size}; the limit is {MAX_PIXELS:,} pixels: scale it down")
