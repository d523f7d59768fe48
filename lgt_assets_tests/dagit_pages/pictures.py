"""Pictures of Dagit for the documentation: small PNG files that hold, besides pixels, the words they were taken for.

A later test compares those words with what Dagit shows by then, so a picture that no longer tells the truth is found without
comparing pixels, which differ with every browser and font.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

FOLDER = Path(__file__).parents[2] / "docs" / "images"
COLOURS = 256
MOST_BYTES = 250_000
WORDS = "Description"  # the keyword that PNG has for it


def write_picture(path: Path, png: bytes, words: list[str]) -> None:
    """Write a screenshot with few colours, and with its words."""
    notes = PngInfo()
    notes.add_text(WORDS, json.dumps(words))
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(path, "PNG", optimize=True, pnginfo=notes)


def words_of(path: Path) -> list[str]:
    """The words that a picture was taken for."""
    with Image.open(path) as picture:
        return json.loads(picture.info[WORDS])


def taken_pictures() -> Iterator[Path]:
    """All pictures of the documentation that the browser test takes."""
    return iter(sorted(FOLDER.glob("dagit-*.png")))
