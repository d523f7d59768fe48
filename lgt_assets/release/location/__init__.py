"""Takes away where a picture was taken, without a change to its pixels' bytes.

What counts as a location:

- EXIF: the GPS directory; GeoTIFF's tags; and makers' notes, whose form is not public and which may hold a place.
- XMP: every property whose name begins with GPS or is a place's (city, state, country, location created or shown, latitude, …),
  whatever its namespace; pictures inside that carry metadata of their own.
- IPTC: content location, city, sublocation, province, and the country's code and name.
- Texts of PNG files with such a name; what follows the end of a picture, as the film of a moving photograph does.

What stays: orientation, camera, lens, time and its zone, captions, keywords, free text. Text that names a GPS position in a
form that cannot be edited is refused, not passed over. Our own code, as no library does this: piexif is not kept up (2019) and
knows JPEG alone, and the bindings of exiv2 lay EXIF out anew, know fewer places than this, and are under the GPL.
"""

from collections.abc import Callable
from typing import NamedTuple

from lgt_assets.release.location import jpeg, nested, png, webp
from lgt_assets.release.location.blocks import LocationError, Patched

__all__ = ["LocationError", "WithoutLocation", "without_location"]


class WithoutLocation(NamedTuple):
    """A file's bytes, and what was taken out of them (``EXIF GPS``, ``XMP`` …); nothing where they are as they were."""

    content: bytes
    removed: tuple[str, ...]


def without_location(content: bytes) -> WithoutLocation:
    """The picture's file without where it was taken; pixels are not decoded, and their bytes stay.

    Args:
        content: a whole JPEG, PNG, WebP, TIFF, GIF, BMP or PPM file.

    Raises:
        LocationError: the metadata are malformed, or cannot be edited, so that a location may be left; or the bytes are no
            picture of these formats. The message says what to do, and names no file: the caller knows it.
    """
    try:
        found = _patcher(content)(content)
    except RecursionError as error:  # EXIF in Photoshop's resources in EXIF, and so on
        raise LocationError("its metadata are nested too deeply") from error
    return WithoutLocation(found.content, tuple(sorted(found.removed)))


def _patcher(content: bytes) -> Callable[[bytes], Patched]:
    if content.startswith(b"\xff\xd8\xff"):
        return jpeg.without_location
    if content.startswith(png.SIGNATURE):
        return png.without_location
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return webp.without_location_in_webp
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return nested.tiff_file
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return webp.without_location_in_gif
    if content[:2] == b"BM" or content[:1] == b"P" and content[1:2] in b"123456":
        return nested.nothing_to_remove
    raise LocationError("it is no JPEG, PNG, WebP, TIFF, GIF, BMP or PPM file")
