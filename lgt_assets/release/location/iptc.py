"""The location in IPTC-IIM and in Photoshop's image resources, which hold IPTC, EXIF and XMP. Lengths stay.

IPTC-NAA Information Interchange Model 4.2, chapter 6; Adobe Photoshop File Formats Specification, "Image Resource Blocks".
"""

import hashlib
from collections.abc import Callable, Mapping

from lgt_assets.release.location.blocks import LocationError, Patched

# Content location code and name, city, sublocation, province, country code and name.
_PLACES = frozenset((26, 27, 90, 92, 95, 100, 101))
_IPTC, _IPTC_MD5 = 0x0404, 0x0425
_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")


def without_places(block: bytes) -> Patched:
    """IIM datasets without those that name a place; zeros fill the end, where readers stop.

    Raises:
        LocationError: a dataset is cut off, or something else stands between them.
    """
    kept, place, removed = [], 0, False
    while place < len(block) and block[place] == 0x1C:
        start = place
        if place + 5 > len(block):
            raise LocationError("its IPTC is cut off")
        record, dataset, size = block[place + 1], block[place + 2], int.from_bytes(block[place + 3 : place + 5], "big")
        place += 5
        if size & 0x8000:
            length = size & 0x7FFF
            size = int.from_bytes(block[place : place + length], "big")
            place += length
        place += size
        if place > len(block):
            raise LocationError("its IPTC is cut off")
        if record == 2 and dataset in _PLACES:
            removed = True
        else:
            kept.append(block[start:place])
    if block[place:].strip(b"\0"):
        raise LocationError("its IPTC is malformed")
    return Patched(b"".join(kept).ljust(len(block), b"\0"), frozenset({"IPTC"})) if removed else Patched(block)


def without_places_in_resources(block: bytes, nested: Mapping[int, Callable[[bytes], Patched]]) -> Patched:
    """Photoshop's resources with those patched that ``nested`` names by their id; the digest of IPTC is made anew.

    Raises:
        LocationError: a resource is cut off, or has an unknown signature.
    """
    content, removed = bytearray(block), set()
    digests: list[int] = []
    iptc: bytes | None = None
    place = 0
    while place < len(block):
        if block[place : place + 4] not in _SIGNATURES or place + 12 > len(block):
            if not block[place:].strip(b"\0"):
                break
            raise LocationError("its Photoshop resources are malformed")
        identity = int.from_bytes(block[place + 4 : place + 6], "big")
        name_length = block[place + 6] + 1
        head = place + 6 + name_length + name_length % 2
        size = int.from_bytes(block[head : head + 4], "big")
        start, end = head + 4, head + 4 + size
        if end > len(block):
            raise LocationError("its Photoshop resources are cut off")
        if identity == _IPTC_MD5 and size == 16:
            digests.append(start)
        if identity in nested:
            patched = nested[identity](block[start:end])
            content[start:end] = patched.content
            removed |= patched.removed
            if identity == _IPTC and patched.removed:
                iptc = patched.content
        place = end + size % 2
    if iptc is not None:
        for start in digests:
            content[start : start + 16] = hashlib.md5(iptc, usedforsecurity=False).digest()
    return Patched(bytes(content), frozenset(removed)) if removed else Patched(block)
