"""Which block of metadata may hold which: EXIF holds XMP, IPTC and Photoshop's resources, and these hold EXIF."""

import re

from lgt_assets.release.location import exif, iptc, xmp
from lgt_assets.release.location.blocks import LocationError, Patched, refuse_signs

_EXIF_INSIDE = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_MOST_THUMBNAILS = 8


def tiff_file(content: bytes) -> Patched:
    """A TIFF file without its location; its pixels stay where they are."""
    return exif.without_gps(content, {0x02BC: xmp.without_places, 0x83BB: iptc.without_places, 0x8649: resources})


def exif_block(block: bytes) -> Patched:
    """An EXIF block, with or without ``Exif`` in front, without its location; a thumbnail's own EXIF as well."""
    head = 6 if block[:5] == b"Exif\0" else 0
    patched = tiff_file(block[head:])
    content, removed = block[:head] + patched.content, set(patched.removed)
    thumbnails, place = 0, head
    while match := _EXIF_INSIDE.search(content, place):
        thumbnails, place = thumbnails + 1, match.end()
        if thumbnails > _MOST_THUMBNAILS:
            raise LocationError("its EXIF holds too many pictures")
        inside = tiff_file(content[place:])
        content, removed = content[:place] + inside.content, removed | inside.removed
    refuse_signs(content, "EXIF")
    return Patched(content, frozenset(removed)) if removed else Patched(block)


def resources(block: bytes) -> Patched:
    """Photoshop's image resources without the location in their IPTC, EXIF and XMP."""
    inside = {0x0404: iptc.without_places, 0x0422: exif_block, 0x0423: exif_block, 0x0424: xmp.without_places}
    return iptc.without_places_in_resources(block, inside)


def nothing_to_remove(content: bytes) -> Patched:
    """BMP and PPM hold no metadata but comments at their start."""
    refuse_signs(content[:4096], "header")
    return Patched(content)
