"""Looks at a record's picture: is the file there, whole and of a sane size, and do the boxes lie inside?"""

import hashlib
import math
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from lgt_assets.sources.decoding import Decoded, decoded, orientation_of
from lgt_assets.sources.picture_paths import other_spelling
from lgt_assets.sources.records import Picture, RowRejected, SourceBox, SourceProblem, SourceRecord
from lgt_assets.sources.upright import upright_size

MAX_BYTES = 256 * 2**20


def inspect(record: SourceRecord, sizes: Mapping[str, tuple[int, int]] | None = None) -> Picture | SourceProblem:
    """The record with its picture's sha256 and size, or why it cannot be used. Never raises for bad content.

    Args:
        record: what the source says.
        sizes: width and height by sha256 of pictures known to be whole; these are not decoded again.
    """
    try:
        return inspect_content(record, read_picture(record.path), (sizes or {}).get)
    except RowRejected as rejected:
        return rejected.problem(record.file, record.row, record.raw)


def inspect_content(
    record: SourceRecord, data: bytes, size_of: Callable[[str], tuple[int, int] | None] = lambda _sha256: None
) -> Picture:
    """:func:`inspect` for a picture whose bytes are here.

    Args:
        record: what the source says.
        data: the picture's bytes.
        size_of: width and height of a picture known to be whole, by its sha256; what it answers is not decoded again.

    Raises:
        RowRejected: the row or the picture cannot be used.
    """
    require_size(len(data), record.path)
    sha256 = hashlib.sha256(data).hexdigest()
    check_row(record, sha256)
    known = size_of(sha256)
    looked = Decoded(*known, orientation_of(data, record.path)) if known else decoded(data, record.path)
    if record.declared_size not in (None, looked[:2]):
        raise RowRejected(
            "wrong_size",
            "width",
            f"{record.path} is {looked.width} x {looked.height} pixels, and the row says {record.declared_size[0]} x "
            f"{record.declared_size[1]}; give the size of the stored file, or leave it out",
        )
    check_boxes_inside(record, looked)
    return Picture(record, sha256, *looked)


def check_boxes_inside(record: SourceRecord, looked: Decoded) -> None:
    """Raise RowRejected where a box leaves the picture, upright or as stored, as the record's boxes are."""
    size = upright_size(*looked) if record.boxes_upright else looked[:2]
    for index, box in enumerate(record.boxes):
        check_inside(box, *size, f"boxes[{index}].box")


def check_row(record: SourceRecord, sha256: str) -> None:
    """Raise RowRejected where the row's texts or boxes cannot be used, or its picture is not the one it was written for."""
    check_texts(record)
    for index, box in enumerate(record.boxes):
        check_box(box, f"boxes[{index}].box")
    if record.expected_sha256 not in (None, sha256):
        raise RowRejected(
            "changed_file",
            "image",
            f"{record.path} is not the picture that caption and boxes were written for (sha256 {sha256} instead of "
            f"{record.expected_sha256}); restore that one, or install the version of its package that holds it",
        )


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
            "give boxes in pixels of the stored file, or, where they are those of the picture as it is shown, say so by "
            "--option box_pixels=upright",
        )


def read_picture(path: Path) -> bytes:
    """The file's bytes. Raises RowRejected: missing, not a regular file, empty, too large, or unreadable."""
    try:
        # A pipe would wait for ever, and opening some devices does something: look first, and again at what was opened.
        _require_file(path.stat(), path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _require_file(os.fstat(descriptor), path)
            data = file.read(MAX_BYTES + 1)  # however it grows meanwhile
        require_size(len(data), path)
        return data
    except (FileNotFoundError, NotADirectoryError):
        other = other_spelling(path)
        hint = (
            f"but {other.name!a} is, the same name in another Unicode form: write the row so"
            if other
            else "relative paths start at the manifest's folder"
        )
        raise RowRejected("missing_file", "image", f"there is no {path}; {hint}") from None
    except OSError as error:
        raise RowRejected(
            "unreadable_file", "image", f"{path}: {error.strerror}; check its name and permissions"
        ) from error


def require_size(size: int, path: Path) -> None:
    """Raise RowRejected where a picture of ``size`` bytes is empty or too large."""
    if size == 0:
        raise RowRejected("unreadable_image", "image", f"{path} is empty; copy it again")
    if size > MAX_BYTES:
        raise RowRejected("image_too_large", "image", f"{path} has {size} bytes; the limit is {MAX_BYTES}")


def _require_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RowRejected("not_a_file", "image", f"{path} is a folder, a pipe or a device; name a picture's file")
    require_size(status.st_size, path)
