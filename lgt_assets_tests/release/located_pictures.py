"""Pictures that say where they were taken, in every place where they can; made by code."""

import hashlib
import io
import struct
import zlib

from PIL import ExifTags, Image

# Digits that stand nowhere else, so that a search of the bytes finds them.
LATITUDE, LONGITUDE = (48.0, 51.0, 29.6412), (2.0, 17.0, 40.2837)
CITY = "Zwiesel-Rabenstein"
XMP_HEADER, EXTENSION_HEADER = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")


def noise(number: int = 0, mode: str = "RGB") -> Image.Image:
    """40 x 30 pixels, the same at every call."""
    values = bytes((place * place * (number + 7) >> 3) & 255 for place in range(40 * 30))
    return Image.frombytes("L", (40, 30), values).convert(mode)


def camera_exif(*, located: bool = True) -> Image.Exif:
    """Camera, orientation and an exposure; with a place, unless it shall have none."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Acme", "Camera 1"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    if located:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: LATITUDE, 3: "E", 4: LONGITUDE, 29: "2026:01:02"})
    return exif


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_block(order: str, *, big: bool = False, maker_note: bytes = b"") -> bytes:
    """A TIFF structure with Make, Orientation, an EXIF directory, and a GPS directory; ``order`` is < or >."""
    number, entry_size, room = ("Q", 20, 8) if big else ("I", 12, 4)
    header = {"<": b"II", ">": b"MM"}[order]
    header += struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8)
    make = b"Acme Cameras\0"
    rationals = b"".join(struct.pack(order + "II", round(value * 10_000), 10_000) for value in LATITUDE)

    def directory(entries: list[tuple[int, int, int, bytes | int]], offset: int) -> bytes:
        """Entries with values: bytes are inline where they fit, else after the directory; numbers are LONGs."""
        body, after = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
        end = offset + len(body) + len(entries) * entry_size + room
        for tag, kind, count, value in entries:
            body += struct.pack(order + "HH" + number, tag, kind, count)
            content = struct.pack(order + number, value) if isinstance(value, int) else value
            if len(content) > room:
                body += struct.pack(order + number, end + len(after))
                after += content
            else:
                body += content.ljust(room, b"\0")
        return body + struct.pack(order + number, 0) + after

    short = struct.pack(order + "H", 6)
    first, sizes = len(header), {}
    for _ in range(2):  # the first turn finds the sizes
        exif_at = first + sizes.get("main", 0)
        gps_at = exif_at + sizes.get("exif", 0)
        main = directory(
            [(0x010F, 2, len(make), make), (0x0112, 3, 1, short), (0x8769, 4, 1, struct.pack(order + "I", exif_at)),
             (0x8825, 4, 1, struct.pack(order + "I", gps_at))], first)  # fmt: skip
        notes = [(0x927C, 7, len(maker_note), maker_note)] if maker_note else []
        exif = directory([(0x9000, 7, 4, b"0232"), *notes, (0xA002, 4, 1, struct.pack(order + "I", 40))], exif_at)
        gps = directory([(1, 2, 2, b"N\0"), (2, 5, 3, rationals)], gps_at)
        sizes = {"main": len(main), "exif": len(exif)}
    return header + main + exif + gps


def xmp_packet(inside: str = "", attributes: str = "") -> bytes:
    """An XMP packet with an orientation, a rating and a title beside what is asked for."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" tiff:Orientation="6" xmp:Rating="4" {attributes}>'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A title &gt; none</rdf:li></rdf:Alt></dc:title>{inside}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


LOCATED_XMP = xmp_packet(
    f'<photoshop:City>{CITY}</photoshop:City><exif:GPSAltitude  a="x>y" />'
    f'<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li Iptc4xmpExt:City="{CITY}"/></rdf:Bag></Iptc4xmpExt:LocationShown>',
    f"exif:GPSLatitude='48,51.49402N' photoshop:Country = \"{CITY}\"",
)


def iptc(*datasets: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in datasets)


LOCATED_IPTC = iptc((5, b"A title"), (90, CITY.encode()), (101, b"Bavaria"), (116, b"(c) Acme"))


def resource(identity: int, data: bytes) -> bytes:
    return (
        b"8BIM" + struct.pack(">H", identity) + b"\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    )


LOCATED_RESOURCES = (
    resource(0x03ED, b"\0" * 16) + resource(0x0404, LOCATED_IPTC) + resource(0x0425, hashlib.md5(LOCATED_IPTC).digest())
)


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(*segments: bytes, after: bytes = b"", picture: bytes | None = None) -> bytes:
    """A JPEG with these segments after its start."""
    whole = picture or encoded(noise(), "JPEG")
    return whole[:2] + b"".join(segments) + whole[2:] + after


def jpeg_exif(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def jpeg_with_long_xmp(text: bytes) -> bytes:
    """A JPEG whose XMP goes on in two further segments, in the wrong order."""
    name = hashlib.md5(text).hexdigest().upper().encode()
    middle = len(text) // 2
    parts = [(0, text[:middle]), (middle, text[middle:])]
    further = [
        segment(0xE1, EXTENSION_HEADER + name + struct.pack(">II", len(text), offset) + part) for offset, part in parts
    ]
    main = xmp_packet(attributes=f'xmpNote:HasExtendedXMP="{name.decode()}"')
    return jpeg(segment(0xE1, XMP_HEADER + main), *reversed(further))


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks: bytes, after: bytes = b"") -> bytes:
    """A PNG with these chunks after its header."""
    whole = encoded(noise(), "PNG")
    return whole[:33] + b"".join(chunks) + whole[33:] + after


def raw_profile(kind: str, block: bytes) -> bytes:
    """A profile as ImageMagick writes it into a text: 36 bytes a line."""
    digits = block.hex()
    lines = [digits[place : place + 72] for place in range(0, len(digits), 72)]
    return f"\n{kind}\n{len(block):8}\n".encode() + "\n".join(lines).encode() + b"\n"


def png_text(keyword: str, text: bytes, kind: str = "tEXt") -> bytes:
    key = keyword.encode() + b"\0"
    if kind == "tEXt":
        return png_chunk(b"tEXt", key + text)
    if kind == "zTXt":
        return png_chunk(b"zTXt", key + b"\0" + zlib.compress(text))
    packed = kind == "iTXt compressed"
    return png_chunk(
        b"iTXt", key + (b"\1" if packed else b"\0") + b"\0en\0\0" + (zlib.compress(text) if packed else text)
    )


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP with these chunks at its end."""
    whole = encoded(noise(), "WEBP", exif=camera_exif(located=False))
    body = whole[12:] + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
