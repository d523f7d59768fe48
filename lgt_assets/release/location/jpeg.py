"""The location in a JPEG file: EXIF, XMP (also when it goes on in further segments) and Photoshop's resources, in place.

Layout: ITU-T T.81 annex B; EXIF 3.0 section 4.7; XMP part 3, section 1.1.3; CIPA DC-007 for files of several pictures.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lgt_assets.release.location import nested, xmp
from lgt_assets.release.location.blocks import LocationError, Patched, refuse_signs, write_back

_EXIF = b"Exif\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_TIFF_HEADER = re.compile(rb"II\*\0|MM\0\*")
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # none of those that stand within a scan
_NOT_ZERO = re.compile(rb"[^\0]")
_START, _END, _SCAN, _COMMENT, _ICC = 0xD8, 0xD9, 0xDA, 0xFE, b"ICC_PROFILE\0"


class _Segment(NamedTuple):
    marker: int
    start: int  # of what follows the length
    end: int


def without_location(content: bytes) -> Patched:
    """A JPEG file, of one or several pictures, without its location.

    What follows the last picture (a film of some seconds, an archive) is cut off: it may hold places, and is no part of the
    picture.

    Raises:
        LocationError: segments are malformed, or speak of a position in a form that cannot be edited.
    """
    patched, removed = bytearray(content), set()
    end = 0
    while content.startswith(b"\xff\xd8\xff", place := _after_padding(content, end)):
        segments, end = _segments(content, place)
        removed |= _patch_picture(content, patched, segments)
    if content[end:].strip(b"\0\xff"):
        del patched[end:]
        removed.add("bytes after the picture")
    return Patched(bytes(patched), frozenset(removed)) if removed else Patched(content)


def _after_padding(content: bytes, place: int) -> int:
    found = _NOT_ZERO.search(content, place)
    return found.start() if found else len(content)


def _segments(content: bytes, start: int) -> tuple[list[_Segment], int]:
    """Segments with data of the picture at ``start``, and where the picture ends."""
    segments: list[_Segment] = []
    place = start + 2
    while True:
        match = _MARKER.match(content, place)
        if match is None:
            raise LocationError("its JPEG segments are malformed")
        marker = match[1][0]
        if marker == _END:
            return segments, match.end()
        length = int.from_bytes(content[match.end() : match.end() + 2], "big")
        place = match.end() + length
        if marker in (_START, 0x01) or length < 2 or place > len(content):
            raise LocationError("its JPEG segments are malformed")
        segments.append(_Segment(marker, match.end() + 2, place))
        if marker == _SCAN:
            following = _MARKER_AFTER_SCAN.search(content, place)
            if following is None:
                raise LocationError("its JPEG ends amid the pixels")
            place = following.start()


def _patch_picture(content: bytes, patched: bytearray, segments: list[_Segment]) -> set[str]:
    removed: set[str] = set()
    photoshop: list[tuple[int, int]] = []
    extensions: dict[bytes, list[_Segment]] = {}
    packets: list[tuple[int, int]] = []
    for spans in _exif_spans(content, segments):
        removed |= _patch(patched, spans, nested.exif_block)
    for segment in segments:
        marker, start, end = segment
        if marker == 0xE1 and content.startswith(_XMP, start):
            packets.append((start + len(_XMP), end))
            removed |= _patch(patched, packets[-1:], xmp.without_places)
        elif marker == 0xE1 and content.startswith(_EXTENSION, start):
            identity = content[start + len(_EXTENSION) : start + len(_EXTENSION) + 32]
            extensions.setdefault(identity, []).append(segment)
        elif marker == 0xED and content.startswith(_PHOTOSHOP, start):
            photoshop.append((start + len(_PHOTOSHOP), end))
        elif marker == 0xE1 and content.startswith(_EXIF, start) or content.startswith(_ICC, start):
            continue
        elif marker == _COMMENT or 0xE0 <= marker <= 0xEF:
            refuse_signs(content[start:end], "comment" if marker == _COMMENT else f"segment APP{marker - 0xE0}")
    if photoshop:
        removed |= _patch(patched, photoshop, nested.resources)
    for identity, parts in extensions.items():
        removed |= _patch_extension(patched, identity, parts, packets)
    return removed


def _patch(patched: bytearray, spans: list[tuple[int, int]], patch: Callable[[bytes], Patched]) -> set[str]:
    """Patch the block that lies in ``spans``, one after the other."""
    found = patch(b"".join(bytes(patched[start:end]) for start, end in spans))
    if found.removed:
        write_back(patched, spans, found.content)
    return set(found.removed)


def _exif_spans(content: bytes, segments: list[_Segment]) -> Iterator[list[tuple[int, int]]]:
    """EXIF blocks as the spans they lie in: a segment that begins anew has a TIFF header, one that goes on has none."""
    spans: list[tuple[int, int]] = []
    for marker, start, end in segments:
        if marker == 0xE1 and content.startswith(_EXIF, start):
            if _TIFF_HEADER.match(content, start + 6) and spans:
                yield spans
                spans = []
            spans.append((start + 6, end))
    if spans:
        yield spans


def _patch_extension(
    patched: bytearray, identity: bytes, parts: list[_Segment], packets: list[tuple[int, int]]
) -> set[str]:
    """Patch XMP that did not fit into one segment; its name, the MD5 of its text, is made anew here and in the packet."""
    head = len(_EXTENSION) + 40
    placed: list[tuple[int, int, int]] = []
    for _, start, end in parts:
        if end - start < head:
            raise LocationError("its XMP is cut off")
        placed.append((int.from_bytes(patched[start + head - 4 : start + head], "big"), start + head, end))
    placed.sort()
    expected = 0
    for offset, start, end in placed:
        if offset != expected:
            raise LocationError("its XMP is malformed (parts are missing or overlap)")
        expected += end - start
    spans = [(start, end) for _, start, end in placed]
    removed = _patch(patched, spans, xmp.without_places)
    if removed:
        text = b"".join(bytes(patched[start:end]) for start, end in spans)
        name = hashlib.md5(text, usedforsecurity=False).hexdigest().upper().encode()
        for _, start, _ in parts:
            patched[start + len(_EXTENSION) : start + len(_EXTENSION) + 32] = name
        for start, end in packets:
            patched[start:end] = patched[start:end].replace(identity, name)
    return removed
