"""Boxes and sizes in upright pixels: as people, models and trainers see a picture whose EXIF says that it lies on its side.

EXIF's orientation says what the stored first row and column are of the upright picture (EXIF 3.0, tag 274).
"""

from dataclasses import replace

from lgt_assets.sources.records import SourceBox

UPRIGHT = 1
_SWAPS_SIDES = (5, 6, 7, 8)


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height when shown, of a picture stored with ``width`` x ``height`` pixels."""
    return (height, width) if orientation in _SWAPS_SIDES else (width, height)


def upright_box(box: SourceBox, width: int, height: int, orientation: int) -> SourceBox:
    """A box given in stored pixels, in upright ones.

    Args:
        box: inside the stored picture.
        width, height: of the stored picture, in pixels.
        orientation: EXIF's, 1 to 8; 1 for any other value, as in every reader.
    """
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    left, right = width - x1, width - x0
    above, below = height - y1, height - y0
    edges = {
        2: (left, y0, right, y1),  # mirrored
        3: (left, above, right, below),  # upside down
        4: (x0, above, x1, below),
        5: (y0, x0, y1, x1),
        6: (above, x0, below, x1),  # a quarter turn clockwise puts it right
        7: (above, left, below, right),
        8: (y0, left, y1, right),  # a quarter turn anticlockwise
    }.get(orientation, (x0, y0, x1, y1))
    return replace(box, x0=edges[0], y0=edges[1], x1=edges[2], y1=edges[3])
