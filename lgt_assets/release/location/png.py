"""The location in a PNG file: the chunk eXIf, and texts that hold XMP, or EXIF and IPTC in hexadecimal digits.

Layout: PNG, third edition, sections 5 and 11.3; "Raw profile type" as ImageMagick and exiftool write it.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from lgt_assets.release.location import iptc, nested, xmp
from lgt_assets.release.location.blocks import LocationError, Patched, names_a_place, refuse_signs

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"fcTL", b"acTL", b"tRNS", b"iCCP")
_MOST_TEXT = 64 * 2**20
_PROFILE = re.compile(rb"(\s*[\w ]+\s+)(\d+)(\s+)([0-9A-Fa-f\s]*)\Z")
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def without_location(content: bytes) -> Patched:
    """A PNG file without its location; chunks of pixels stay byte for byte. What follows the end is cut off.

    Raises:
        LocationError: chunks or texts are malformed, or speak of a position in a form that cannot be edited.
    """
    parts, removed = [SIGNATURE], set()
    for name, data, whole in _chunks(content):
        if name in _PIXELS:
            parts.append(whole)
            continue
        patched = _patch(name, data)
        removed |= patched.removed
        if not patched.removed:
            parts.append(whole)
        elif patched.content:
            parts.append(_chunk(name, patched.content))
    length = sum(len(whole) for _, _, whole in _chunks(content)) + len(SIGNATURE)
    if content[length:].strip(b"\0"):
        removed.add("bytes after the picture")
    return Patched(b"".join(parts), frozenset(removed)) if removed else Patched(content)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, data and all bytes of every chunk until the last, IEND."""
    place = len(SIGNATURE)
    while True:
        length = int.from_bytes(content[place : place + 4], "big")
        end = place + 12 + length
        if end > len(content):
            raise LocationError("its PNG chunks are malformed")
        name = content[place + 4 : place + 8]
        yield name, content[place + 8 : end - 4], content[place:end]
        if name == b"IEND":
            return
        place = end


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _patch(name: bytes, data: bytes) -> Patched:
    """The data of a chunk without location; empty where the whole chunk goes."""
    if name == b"eXIf":
        return nested.exif_block(data)
    if name not in (b"tEXt", b"zTXt", b"iTXt"):
        refuse_signs(data, f"PNG chunk {name.decode('latin-1')!r}")
        return Patched(data)
    keyword, _, rest = data.partition(b"\0")
    head, text, compressed = _text(name, rest)
    label = keyword.decode("latin-1")
    if names_a_place(label):
        return Patched(b"", frozenset({"PNG text"}))
    if label == "XML:com.adobe.xmp":
        patched = xmp.without_places(text)
    elif label.lower().startswith("raw profile type "):
        patched = _profile(label[17:].strip().lower(), text)
    else:
        refuse_signs(text, f"PNG text {label!r}")
        return Patched(data)
    if not patched.removed:
        return Patched(data)
    body = zlib.compress(patched.content) if compressed else patched.content
    return Patched(keyword + b"\0" + head + body, patched.removed)


def _text(name: bytes, rest: bytes) -> tuple[bytes, bytes, bool]:
    """What stands before the text, the text, and whether it was compressed."""
    if name == b"tEXt":
        return b"", rest, False
    if name == b"zTXt":
        return rest[:1], _decompressed(rest[1:]), True
    language, _, translated = rest[2:].partition(b"\0")
    keyword, _, text = translated.partition(b"\0")
    head = rest[:2] + language + b"\0" + keyword + b"\0"
    return (head, _decompressed(text), True) if rest[:1] == b"\1" else (head, text, False)


def _decompressed(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, _MOST_TEXT)
    except zlib.error as error:
        raise LocationError(f"a compressed PNG text is malformed ({error})") from error
    if not inflater.eof:
        raise LocationError("a compressed PNG text is cut off or too large")
    return text


def _profile(kind: str, text: bytes) -> Patched:
    """A raw profile: its name, its length, and its bytes in hexadecimal digits with line breaks between."""
    match = _PROFILE.match(text)
    digits = re.sub(rb"\s", b"", match[4]) if match else b""
    if match is None or len(digits) % 2:
        raise LocationError(f"its raw profile {kind!r} is malformed")
    block = bytes.fromhex(digits.decode())
    if block.startswith(_XMP_HEADER):
        inner = xmp.without_places(block[len(_XMP_HEADER) :])
        patched = Patched(_XMP_HEADER + inner.content, inner.removed)
    elif block[:5] == b"Exif\0" or kind == "exif":
        patched = nested.exif_block(block)
    elif block[:4] == b"8BIM" or kind == "8bim":
        patched = nested.resources(block)
    elif kind == "iptc":
        patched = iptc.without_places(block)
    elif kind == "xmp":
        patched = xmp.without_places(block)
    else:
        refuse_signs(block, f"raw profile {kind!r}")
        patched = Patched(block)
    if not patched.removed:
        return Patched(text)
    fresh = iter(patched.content.hex().encode())
    return Patched(
        text[: match.start(4)] + bytes(char if char in b" \t\r\n\v\f" else next(fresh) for char in match[4]),
        patched.removed,
    )
