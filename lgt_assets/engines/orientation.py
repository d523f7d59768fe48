"""Between a picture as it is stored and as it is looked at: cameras note how to turn it in EXIF."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

Edges = tuple[float, float, float, float]
_TAG = 0x0112
UPRIGHT = 1


def orientation_of(stored: "Image") -> int:
    """EXIF's orientation of an opened picture, 1 to 8; 1 (as it is stored) where none, or none that exists, is noted."""
    noted = stored.getexif().get(_TAG, UPRIGHT)
    return noted if noted in range(1, 9) else UPRIGHT


def stored_edges(edges: Edges, orientation: int, width: int, height: int) -> Edges:
    """A box of the upright picture in the pixels of the stored file, cut at its edges.

    Args:
        edges: x0, y0, x1, y1 in pixels of the picture that Pillow's ``exif_transpose`` gives.
        orientation: of :func:`orientation_of`.
        width, height: of the stored file, in pixels.
    """
    corners = [_stored_point(x, y, orientation, width, height) for x, y in (edges[:2], edges[2:])]
    (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*corners, strict=True))
    return _within(x0, width), _within(y0, height), _within(x1, width), _within(y1, height)


def _stored_point(x: float, y: float, orientation: int, width: int, height: int) -> tuple[float, float]:
    across, along = (y, x) if orientation >= 5 else (x, y)
    if orientation in (2, 3, 7, 8):
        across = width - across
    if orientation in (3, 4, 6, 7):
        along = height - along
    return across, along


def _within(edge: float, size: int) -> float:
    return min(max(edge, 0.0), float(size))
