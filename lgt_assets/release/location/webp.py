"""The location in a WebP file (RIFF chunks EXIF and XMP) and in a GIF file (an application extension with XMP), in place.

Layout: RFC 9649 section 2.7; GIF89a section 26 with XMP part 3, section 1.1.2.
"""

from collections.abc import Iterator

from lgt_assets.release.location import nested, xmp
from lgt_assets.release.location.blocks import LocationError, Patched, refuse_signs

_PIXELS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
_XMP_IN_GIF = b"\x21\xff\x0bXMP DataXMP"
# Every byte value from 255 down to 0, so that a reader that takes text for the lengths of blocks finds the end.
_TRAILER = b"\x01" + bytes(range(255, -1, -1))


def without_location_in_webp(content: bytes) -> Patched:
    """A WebP file without its location; what follows the end is cut off.

    Raises:
        LocationError: chunks are malformed, or speak of a position in a form that cannot be edited.
    """
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise LocationError("its WebP chunks are cut off")
    patched, removed = bytearray(content), set()
    for name, start, stop in _chunks(content, end):
        if name in (b"EXIF", b"XMP "):
            patch = nested.exif_block if name == b"EXIF" else xmp.without_places
            found = patch(content[start:stop])
            patched[start:stop] = found.content
            removed |= found.removed
        elif name not in _PIXELS:
            refuse_signs(content[start:stop], f"WebP chunk {name.decode('latin-1')!r}")
    if content[end:].strip(b"\0"):
        del patched[end:]
        removed.add("bytes after the picture")
    return Patched(bytes(patched), frozenset(removed)) if removed else Patched(content)


def _chunks(content: bytes, end: int) -> Iterator[tuple[bytes, int, int]]:
    place = 12
    while place < end:
        start = place + 8
        stop = start + int.from_bytes(content[place + 4 : start], "little")
        if stop > end:
            raise LocationError("its WebP chunks are malformed")
        yield content[place : place + 4], start, stop
        place = stop + stop % 2


def without_location_in_gif(content: bytes) -> Patched:
    """A GIF file without its location.

    Raises:
        LocationError: its XMP has no end, or a comment speaks of a position.
    """
    patched, removed = bytearray(content), set()
    place = content.find(_XMP_IN_GIF)
    while place >= 0:
        start = place + len(_XMP_IN_GIF)
        stop = content.find(_TRAILER, start)
        if stop < 0:
            raise LocationError("its XMP has no end")
        found = xmp.without_places(content[start:stop])
        patched[start:stop] = found.content
        removed |= found.removed
        place = content.find(_XMP_IN_GIF, stop)
    refuse_signs(patched, "GIF comment")
    return Patched(bytes(patched), frozenset(removed)) if removed else Patched(content)
