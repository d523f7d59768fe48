"""Small pictures to look at, with boxes drawn on them: Dagit's previews, audit pages and lineage pages share them."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, on_white, read_image_bytes
from lgt_assets.errors import SourceError

# Okabe and Ito's colours, which people who are colour-blind tell apart too; none is a grey that pictures are full of.
COLOURS = ("#e69f00", "#56b4e9", "#d55e00", "#009e73", "#f0e442", "#cc79a7", "#0072b2")
JPEG_QUALITY = 80
LABEL_CHARACTERS = 24
_DARK, _LIGHT = "#000000", "#ffffff"
_LOWEST_QUALITY, _SMALLEST_SIDE = 40, 32


@dataclass(frozen=True)
class Box:
    """A box in pixels of the upright picture, and what is written at its corner; boxes are coloured in their order."""

    x0: float
    y0: float
    x1: float
    y1: float
    label: str = ""


def picture_of(image: Mapping, boxes: Sequence[Box] = (), *, longest_side: int, most_bytes: int | None = None) -> bytes:
    """:func:`draw_boxes` on the file that a row of ``images`` names, which must be the very file that was added.

    Raises:
        SourceError: it is missing, changed, or no picture; the message names ``image_id``, file and what to do.
    """
    try:
        content = read_image_bytes(ImageReference(image["sha256"], image["uri"]))
        return draw_boxes(content, boxes, longest_side=longest_side, most_bytes=most_bytes)
    except (ImageUnreadable, SourceError) as error:
        raise SourceError(f"picture {image['image_id']}: {error}") from error


def draw_boxes(
    picture: bytes | Path, boxes: Sequence[Box] = (), *, longest_side: int, most_bytes: int | None = None
) -> bytes:
    """The picture as JPEG, upright by its EXIF orientation as its boxes are, no side longer than ``longest_side`` pixels.

    Args:
        picture: content or path of a file that Pillow reads.
        boxes: in pixels of the upright picture, each in its own colour with its label on it; what leaves the picture is cut.
        longest_side: in pixels; a smaller picture keeps its size.
        most_bytes: where given, quality and then size go down until the JPEG has no more.

    Raises:
        SourceError: the picture cannot be decoded.
    """
    small, scale = _smaller(picture, longest_side)
    _draw(small, boxes, scale)
    content = _jpeg(small, JPEG_QUALITY)
    quality = JPEG_QUALITY
    while most_bytes is not None and len(content) > most_bytes and max(small.size) > _SMALLEST_SIDE:
        if quality > _LOWEST_QUALITY:
            quality -= 10
        else:
            small.thumbnail([max(1, side * 3 // 4) for side in small.size])
        content = _jpeg(small, quality)
    return content


def data_address(jpeg: bytes) -> str:
    """The picture as a ``data:`` address for a page that needs no other file."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _smaller(picture: bytes | Path, longest_side: int) -> tuple[Image.Image, tuple[float, float]]:
    """The picture as RGB on white within ``longest_side``, and its new pixels per old one, across and down."""
    try:
        with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as stored:
            before = stored.size
            stored.draft("RGB", (longest_side, longest_side))  # a large JPEG is decoded at a fraction of its size
            drafted = stored.size
            small = on_white(ImageOps.exif_transpose(stored))
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly anything on hostile bytes; all of it means one thing here
        raise SourceError(f"it cannot be decoded ({error}); copy it again, or remove its row") from error
    width, height = before if small.size == drafted else reversed(before)
    small.thumbnail((longest_side, longest_side))
    return small, (small.width / width, small.height / height)


def _draw(picture: Image.Image, boxes: Sequence[Box], scale: tuple[float, float]) -> None:
    draw = ImageDraw.Draw(picture)
    longest = max(picture.size)
    line = max(2, round(longest / 160))
    font = ImageFont.load_default(max(11, round(longest / 22)))
    corners = [_within(box, scale, picture.size) for box in boxes]
    for place, corner in enumerate(corners):
        draw.rectangle(corner, outline=COLOURS[place % len(COLOURS)], width=line)
    for place, (box, corner) in enumerate(zip(boxes, corners, strict=True)):  # labels lie over every outline
        if label := _printable(box.label):
            _write(draw, label, corner, COLOURS[place % len(COLOURS)], font, picture.size)


def _within(box: Box, scale: tuple[float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Corners in pixels of the small picture, inside it and in order, whatever the box says."""
    x0, x1 = sorted(min(max(x * scale[0], 0), size[0] - 1) for x in (box.x0, box.x1))
    y0, y1 = sorted(min(max(y * scale[1], 0), size[1] - 1) for y in (box.y0, box.y1))
    return x0, y0, x1, y1


def _write(
    draw: ImageDraw.ImageDraw, label: str, corner: tuple[float, float, float, float], colour: str,
    font: ImageFont.FreeTypeFont, size: tuple[int, int],
) -> None:  # fmt: skip
    """Write ``label`` above the box where there is room, else inside it; never outside the picture."""
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    width, height = right - left + 6, bottom - top + 4
    x = max(0, min(corner[0], size[0] - width))
    y = corner[1] - height if corner[1] >= height else min(corner[1], max(0, size[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    ink = _DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else _LIGHT
    draw.text((x + 3 - left, y + 2 - top), label, fill=ink, font=font)


def _printable(label: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in label).strip()
    return text if len(text) <= LABEL_CHARACTERS else text[: LABEL_CHARACTERS - 1] + "…"


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)  # thin lines keep their colour
    return buffer.getvalue()
