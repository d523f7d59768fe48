"""What the parts of :mod:`lgt_assets.release.location` share: a patched block, the error, and which names mean a place."""

import re
from typing import NamedTuple

from lgt_assets.errors import LgtError

# Property names, small and without their namespace's prefix: IPTC Core and Extension, Photoshop, drones, W3C geo, XMP DM.
_PLACES = frozenset(
    (
        "city state provincestate country countryname countrycode location sublocation locationcreated locationshown "
        "locationid locationname shotlocation worldregion latitude longitude altitude lat long lon absolutealtitude "
        "relativealtitude geotag coordinates"
    ).split()
)
_SIGNS = re.compile(rb"(?i)gps[ _]?(?:latitude|longitude|position|coordinates)|exif:gps|location(?:created|shown)")


class LocationError(LgtError):
    """A picture's metadata are such that nobody can be sure that no location is left in them."""

    def __init__(self, problem: str):
        super().__init__(
            f"{problem}, so a location may be left in it; write the picture anew without metadata "
            "(exiftool -all= --icc_profile:all FILE, or save it again) and add that file as a picture of its own, or leave it out"
        )


class Patched(NamedTuple):
    """A block with what it lost, named for people; a block that lost nothing is the very bytes that came in."""

    content: bytes
    removed: frozenset[str] = frozenset()


def names_a_place(name: str) -> bool:
    """Whether a property or keyword, with or without prefix (``exif:GPSLatitude``), says where a picture was taken."""
    local = name.rpartition(":")[2].strip().lower()
    return local.startswith("gps") or local in _PLACES or name.lower().startswith("geo:")


def refuse_signs(block: bytes, where: str) -> None:
    """Raise LocationError where a block that cannot be edited names a position: signed provenance, notes, comments."""
    found = _SIGNS.search(block) or _SIGNS.search(block.replace(b"\0", b""))
    if found:
        raise LocationError(f"its {where} speaks of {found[0].decode()!r} in a form that cannot be edited")


def write_back(content: bytearray, spans: list[tuple[int, int]], block: bytes) -> None:
    """Put a patched ``block`` back into the spans (start, end) that it was joined from."""
    taken = 0
    for start, end in spans:
        content[start:end] = block[taken : taken + end - start]
        taken += end - start
