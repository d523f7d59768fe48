"""Requests and pictures for the engine tests."""

import hashlib
import io
from pathlib import Path

from PIL import Image, ImageDraw

from lgt_assets.engines.base import ImageReference, Message, Request, Sampling


def request(
    text: str = "How many circles?",
    *,
    seed: int = 1,
    images: tuple[ImageReference, ...] = (),
    prefix: str = "",
    **sampling: object,
) -> Request:
    """One request; ``sampling`` as in Sampling."""
    return Request((Message("user", text, images),), Sampling(**sampling), seed=seed, prefix=prefix)


def picture(folder: Path, colour: str = "red", size: int = 112) -> ImageReference:
    """A PNG with a coloured square, written to ``folder``."""
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).rectangle([size // 8, size // 8, size // 2, size // 2], fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    path = folder / f"{colour}-{size}.png"
    path.write_bytes(buffer.getvalue())
    return ImageReference(hashlib.sha256(buffer.getvalue()).hexdigest(), str(path))
