"""The location in XMP, which is RDF in XML: properties that name a place are blanked with spaces, in place."""

import base64
import re
from xml.parsers import expat

from lgt_assets.release.location.blocks import LocationError, Patched, names_a_place, refuse_signs

_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_PICTURE_INSIDE = re.compile(rb"/9j/4[A-Za-f](?:[A-Za-z0-9+/=\s]|&#x?[0-9A-Fa-f]+;)*")  # a JPEG in base64


def without_places(packet: bytes) -> Patched:
    """An XMP packet of the same length; attributes and elements that name a place became spaces.

    Names are judged without their namespace, so a prefix or an address that is misspelt hides nothing.

    Raises:
        LocationError: the packet is no well-formed UTF-8 XML, or declares entities.
    """
    end = len(packet.rstrip(b"\0 \t\r\n"))
    blanks = _places(packet[:end]) if end else []
    blanks += [match.span() for match in _PICTURE_INSIDE.finditer(packet) if _has_metadata(match[0])]
    if not blanks:
        refuse_signs(packet, "XMP")
        return Patched(packet)
    content = bytearray(packet)
    for start, stop in blanks:
        content[start:stop] = b" " * (stop - start)
    refuse_signs(content, "XMP")
    return Patched(bytes(content), frozenset({"XMP"}))


def _places(packet: bytes) -> list[tuple[int, int]]:
    """Spans of attributes and whole elements to blank."""
    parser = expat.ParserCreate("UTF-8")
    blanks: list[tuple[int, int]] = []
    open_places: list[int] = []  # starts of the outermost element that names a place, and those inside it

    def started(name: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        if open_places or names_a_place(name):
            open_places.append(start)
        elif any(map(_names_a_place, attributes)):
            blanks.extend(_attributes(packet, start))

    def ended(name: str) -> None:
        if open_places:
            start = open_places.pop()
            if not open_places:
                blanks.append((start, _tag_end(packet, parser.CurrentByteIndex)))

    def refuse(*_: object) -> None:
        raise LocationError("its XMP declares entities")

    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, UnicodeError) as error:
        raise LocationError(f"its XMP is malformed ({error})") from error
    return blanks


def _names_a_place(attribute: str) -> bool:
    return names_a_place(attribute) and not attribute.startswith("xmlns:")


def _has_metadata(base64_text: bytes) -> bool:
    """Whether a picture inside, as previews and panoramas' originals are, carries EXIF or XMP of its own."""
    digits = re.sub(rb"&#x?[0-9A-Fa-f]+;|\s|=", b"", base64_text)
    picture = base64.b64decode(digits[: len(digits) // 4 * 4])
    return b"Exif\0" in picture or b"http://ns.adobe.com/" in picture


def _attributes(packet: bytes, start: int) -> list[tuple[int, int]]:
    """Spans of the attributes of the start tag at ``start`` that name a place."""
    return [
        match.span()
        for match in _attribute_matches(packet, start)
        if _names_a_place(match[1].decode("utf-8", "replace"))
    ]


def _tag_end(packet: bytes, start: int) -> int:
    """Where the tag at ``start`` ends; an empty element's only tag may hold attributes, and they a ``>``."""
    matches = _attribute_matches(packet, start)
    return packet.index(b">", matches[-1].end() if matches else start) + 1


def _attribute_matches(packet: bytes, start: int) -> list[re.Match]:
    place = re.compile(rb"<[^\s/>]*").match(packet, start)
    matches: list[re.Match] = []
    position = place.end() if place else start
    while match := _ATTRIBUTE.match(packet, position):
        matches.append(match)
        position = match.end()
    return matches
