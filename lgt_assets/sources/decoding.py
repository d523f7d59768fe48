"""Decodes a picture's bytes within limits of memory and time, and says why it cannot be used.

Whatever the bytes, there is an outcome: a size, or a reason. Formats are told by content; endings of names do not matter.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image

from lgt_assets.sources.picture_types import HEAD_BYTES, other_type, picture_type
from lgt_assets.sources.records import RowRejected

MAX_PIXELS = 64_000_000
MAX_SIDE = 32_768
# Qwen2.5-VL's preparation refuses pictures that are 200 times as long as wide.
MAX_SIDES_RATIO = 200
# A progressive JPEG is gone through once a scan: twenty times as much work as the largest picture takes in one, some 20 s.
MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
# Formats that trainers read; Pillow's others are rare, and some start outside programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# What Pillow turns into RGB rightly. Grey of 16 bits, integers and floats are cut off at 255 instead: such pictures come out
# white, here and in servers and trainers.
_MODES = frozenset(("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"))
_MOST_PAGES = 16
_TILE_WIDTH, _TILE_LENGTH = 322, 323


class Decoded(NamedTuple):
    """Width and height in pixels as stored (EXIF is not applied), and EXIF's orientation (1: upright)."""

    width: int
    height: int
    orientation: int


class _PixelBudget:
    """Lets threads decode at once only as many pixels as the largest single picture has."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


_BUDGET = _PixelBudget(MAX_PIXELS)
_FILTERS = threading.Lock()  # warnings' filters belong to the whole process


def decoded(data: bytes, path: Path) -> Decoded:
    """Size and orientation; decodes every pixel, so a truncated file does not pass.

    Raises:
        RowRejected: ``not_a_picture``; ``image_too_large``, ``image_too_narrow`` (judged before memory is taken);
            ``several_frames``; ``unsupported_pixels``; ``metadata_too_large``; ``unreadable_image`` where it is broken.
    """
    with _refusing_broken(data, path):
        with _opened(data) as image:
            size = _stored_size(image)
            _check(image, size, data, path)
            pages = image.format == "TIFF" and getattr(image, "is_animated", False)
            with _BUDGET.taken(size[0] * size[1]):
                orientation = _orientation(image)
                image.load()
                orientation = orientation or _orientation(image) or 1  # in PNG, it may stand after the pixels
        if pages:
            _check_pages(data, path)
        return Decoded(*size, orientation)


def orientation_of(data: bytes, path: Path) -> int:
    """EXIF's orientation of a picture that is known to be whole; its pixels are decoded for PNG alone.

    Raises:
        RowRejected: it cannot be opened after all.
    """
    with _refusing_broken(data, path), _opened(data) as image:
        orientation = _orientation(image)
        if image.format == "PNG" and orientation is None and b"eXIf" in data:
            with _BUDGET.taken(image.width * image.height):
                image.load()
            orientation = _orientation(image)
        return orientation or 1


def decoded_size(data: bytes, path: Path) -> tuple[int, int]:
    """Width and height of :func:`decoded`. Raises as that."""
    return decoded(data, path)[:2]


@contextmanager
def _refusing_broken(data: bytes, path: Path) -> Iterator[None]:
    if picture_type(data[:HEAD_BYTES]) is None:
        raise RowRejected("not_a_picture", "image", f"{path} is {other_type(data[:HEAD_BYTES])}")
    try:
        yield
    except RowRejected:
        raise
    except Image.DecompressionBombError:
        raise RowRejected(
            "image_too_large", "image", f"{path} has far more than {MAX_PIXELS:,} pixels: scale it down"
        ) from None
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly anything on hostile bytes; all of it means one thing here.
        if "Decompressed data too large" in str(error) or "Too much memory used" in str(error):
            problem = f"{path} holds a text or colour profile of more than a megabyte; save it without metadata"
            raise RowRejected("metadata_too_large", "image", problem) from error
        problem = f"{path} is not a whole picture ({type(error).__name__}: {error}); copy it again, or save it anew"
        raise RowRejected("unreadable_image", "image", problem) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of odd metadata, which change no pixel, and of sizes, which are judged here."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _opened(data: bytes) -> Image.Image:
    """The picture by its header, of the format that its first bytes say."""
    found = picture_type(data[:HEAD_BYTES])
    with _quiet():
        return Image.open(io.BytesIO(data), formats=(found.name if found else "",))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Size as stored: of TIFF alone, Pillow gives the upright one."""
    width, height = image.size
    if image.format == "TIFF" and (_orientation(image) or 1) >= 5:
        return height, width
    return width, height


def _orientation(image: Image.Image) -> int | None:
    with _quiet():
        found = image.getexif().get(ExifTags.Base.Orientation)
    return found if isinstance(found, int) and 1 <= found <= 8 else None


def _check(image: Image.Image, size: tuple[int, int], data: bytes, path: Path) -> None:
    """Raise RowRejected for what the header promises."""
    width, height = size
    shown = f"{path} is {width} x {height} pixels"
    if width * height > MAX_PIXELS or max(size) > MAX_SIDE:
        raise RowRejected(
            "image_too_large",
            "image",
            f"{shown}; the limits are {MAX_PIXELS:,} pixels and {MAX_SIDE:,} a side: scale it down",
        )
    if max(size) >= MAX_SIDES_RATIO * min(size):
        raise RowRejected(
            "image_too_narrow",
            "image",
            f"{shown}, one side {MAX_SIDES_RATIO} times the other or more, which models refuse: cut it",
        )
    if image.format in ("JPEG", "MPO"):
        _check_scans(image, data, shown)
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        tile = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
        if not all(isinstance(side, int) and side <= MAX_SIDE for side in tile) or tile[0] * tile[1] > MAX_PIXELS:
            raise RowRejected("image_too_large", "image", f"{shown} in tiles of {tile[0]} x {tile[1]}: save it anew")
    elif image.format != "MPO" and getattr(image, "is_animated", False):  # of phones' MPO, the first is the photograph
        raise RowRejected("several_frames", "image", f"{path} is animated; {_ONE_FRAME}")
    if image.mode not in _MODES:
        raise RowRejected(
            "unsupported_pixels",
            "image",
            f"{path} has pixels of kind {image.mode}, which trainers and servers cut off at white: save it with 8 bits a channel",
        )


def _check_scans(image: Image.Image, data: bytes, shown: str) -> None:
    """Raise RowRejected where a JPEG's scans are too many, or too short to hold its pixels: decoders fill up with grey."""
    scans, pixels = data.count(b"\xff\xda"), image.width * image.height
    if scans > MAX_SCANNED_PIXELS // MAX_PIXELS and scans * pixels > MAX_SCANNED_PIXELS:
        raise RowRejected("image_too_large", "image", f"{shown} in {scans} scans, which takes minutes: save it anew")
    blocks = pixels // 64
    if len(data) < blocks // 8 and b"\xff\xc9" not in data and b"\xff\xca" not in data:  # at least one bit a block
        raise RowRejected(
            "unreadable_image", "image", f"{shown} according to its header, and has {len(data)} bytes: copy it again"
        )


def _check_pages(data: bytes, path: Path) -> None:
    """Raise RowRejected where a TIFF has further pages that are no smaller copies of the first."""
    with _opened(data) as image:
        for page in range(1, _MOST_PAGES + 1):
            try:
                with _quiet():
                    image.seek(page)
            except EOFError:
                return
            if not getattr(image, "tag_v2", {}).get(254, 0) & 0b101:  # a smaller copy, or a mask
                break
    raise RowRejected("several_frames", "image", f"{path} has several pages; {_ONE_FRAME}")


_ONE_FRAME = "save the one that caption and boxes are about as a picture of its own"
