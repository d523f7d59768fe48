"""Files that are no plain pictures: made by code, each with the reason that it is refused by, or None where it is taken."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

WIDTH, HEIGHT = 40, 30


def plain(mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT), number: int = 0) -> Image.Image:
    """A picture with some values, the same at every call; another number, other values."""
    values = Image.linear_gradient("L").rotate(90 * number).resize(size)
    return values if mode == "L" else values.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG with a header of these numbers and any data."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    ended = png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + ended


def with_png_chunks(*chunks: bytes) -> bytes:
    whole = encoded(plain(), "PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def with_segments(*segments: tuple[int, bytes]) -> bytes:
    whole = encoded(plain(), "JPEG")
    inside = b"".join(struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments)
    return whole[:2] + inside + whole[2:]


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose header promises another size."""
    whole = bytearray(encoded(plain(), "JPEG"))
    place = whole.index(b"\xff\xc0") + 5
    whole[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(whole)


def scan_bomb(side: int, scans: int) -> bytes:
    """A progressive JPEG of black pixels whose last scan is repeated: each time all pixels are gone through."""
    whole = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def exif_of_many_tags() -> bytes:
    """EXIF of 60 kB whose 5,000 tags each point to nearly all of it: 300 MB where all are read."""
    entries = b"".join(struct.pack("<HHII", 40_000 + place, 7, 60_000, 8) for place in range(5_000))
    return (b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5_000) + entries + bytes(4)).ljust(65_000, b"x")


def tiff(*entries: tuple[int, int, int, int], following: int = 0, after: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory; entries are tag, type, count, value."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following) + after


def tiff_pixels(*more: tuple[int, int, int, int], following: int = 0, width: int = 8, height: int = 8) -> bytes:
    """A TIFF of grey pixels, unless further entries say other things."""
    entries = {256: (256, 4, 1, width), 257: (257, 4, 1, height), 258: (258, 3, 1, 8), 259: (259, 3, 1, 1),
               262: (262, 3, 1, 1), 277: (277, 3, 1, 1), 278: (278, 4, 1, height), 279: (279, 4, 1, width * height)}  # fmt: skip
    entries |= {entry[0]: entry for entry in more}
    offset = 8 + 2 + 12 * (len(entries) + 1) + 4
    entries.setdefault(273, (273, 4, 1, offset))
    return tiff(*(entries[tag] for tag in sorted(entries)), following=following, after=bytes(width * height))


def tiff_with_pages(kind: int) -> bytes:
    """A TIFF of two pages, the second of this kind (tag 254: 1 is a smaller copy of the first)."""
    first = tiff_pixels()
    second = tiff_pixels((254, 4, 1, kind))[8:]
    return tiff_pixels(following=len(first)) + second  # the second page's pixels are those of the first


TILES = ((322, 4, 1, 2**30), (323, 4, 1, 2**30), (324, 4, 1, 8), (325, 4, 1, 64))


def tiff_of_many_pages(count: int) -> bytes:
    """A TIFF whose further pages all call themselves smaller copies."""
    first = tiff_pixels()
    page = len(tiff_pixels((254, 4, 1, 1))) - 8
    content = tiff_pixels(following=len(first))
    for number in range(count):
        following = len(first) + (number + 1) * page
        content += tiff_pixels((254, 4, 1, 1), following=following if number + 1 < count else 0)[8:]
    return content


def gif_of_size(side: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, side, side) + b"\0\x02\0"
    return b"GIF89a" + struct.pack("<HH", side, side) + b"\0\0\0" + frame + b"\x3b"


def webp_of_size(side: int) -> bytes:
    canvas = struct.pack("<I", side - 1)[:3] * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + b"VP8 " + bytes(4)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sixteen_bits_of_colour() -> bytes:
    return png(WIDTH, HEIGHT, zlib.compress(b"\0" * (1 + 6 * WIDTH) * HEIGHT), depth=16)


def animation(kind: str, **options: object) -> bytes:
    return encoded(plain(), kind, save_all=True, append_images=[plain(number=1)], **options)


def zip_of(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", data)
    return buffer.getvalue()


def turned(orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(plain(), kind, exif=exif)


@dataclass(frozen=True)
class HostileFile:
    """A file's name, how to make it, and the reason that it is refused by (None: it is taken)."""

    name: str
    make: Callable[[], bytes]
    reason: str | None


def _table() -> list[HostileFile]:
    jpeg, whole_png = encoded(plain(), "JPEG"), encoded(plain(), "PNG")
    large = png(30_000, 30_000, zlib.compress(b"\0"))
    profile = png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(40 * 2**20)))
    text = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(40 * 2**20)))
    profile_parts = [(0xE2, b"ICC_PROFILE\0" + bytes((part, 255)) + bytes(65_000)) for part in range(1, 256)]
    bmp = encoded(plain(), "BMP")
    many_texts = [png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))] * 80
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    rows: list[tuple[str, Callable[[], bytes], str | None]] = [
        # bombs, and headers that lie
        ("bomb.png", lambda: large, "image_too_large"),
        ("bomb below Pillow's limit.png", lambda: png(8_001, 8_001, zlib.compress(b"\0")), "image_too_large"),
        ("bomb beyond all.png", lambda: png(2**31 - 1, 2**31 - 1, zlib.compress(b"\0")), "image_too_large"),
        ("bomb.gif", lambda: gif_of_size(65_535), "image_too_large"),
        ("bomb.bmp", lambda: bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:], "image_too_large"),
        ("bomb.ppm", lambda: b"P6 50000 50000 255\n", "image_too_large"),
        ("bomb.jpg", lambda: jpeg_of_size(65_500, 65_500), "image_too_large"),
        ("bomb.webp", lambda: webp_of_size(16_384), "image_too_large"),
        ("bomb.tif", lambda: tiff_pixels((256, 4, 1, 60_000), (257, 4, 1, 60_000)), "image_too_large"),
        ("wrong size.jpg", lambda: jpeg_of_size(4_000, 4_000), "unreadable_image"),
        ("no size.jpg", lambda: jpeg_of_size(0, 0), "unreadable_image"),
        ("no width.png", lambda: png(0, 5, zlib.compress(b"\0")), "unreadable_image"),
        ("scans.jpg", lambda: scan_bomb(2_000, 1_000), "image_too_large"),
        ("tiles.tif", lambda: tiff_pixels(*TILES), "image_too_large"),
        ("strips without end.tif", lambda: tiff_pixels((279, 4, 1, 2**31)), None),
        ("pixels beyond the end.tif", lambda: tiff_pixels((273, 4, 1, 2**31)), "unreadable_image"),
        ("many channels.tif", lambda: tiff_pixels((277, 3, 1, 60_000)), "unreadable_image"),
        ("data of zeros behind the pixels.png", lambda: png(8, 8, zlib.compress(bytes(8 * 25) + bytes(40 * 2**20))), None),
        # sides
        ("line.png", lambda: encoded(plain("L", (40_000, 30)), "PNG"), "image_too_large"),
        ("thread.png", lambda: encoded(plain("L", (2_000, 10)), "PNG"), "image_too_narrow"),
        ("hair.png", lambda: encoded(plain("L", (1, 200)), "PNG"), "image_too_narrow"),
        ("point.png", lambda: encoded(plain("L", (1, 1)), "PNG"), None),
        # bytes that are missing or wrong
        ("empty.png", lambda: b"", "unreadable_image"),
        ("signature alone.png", lambda: whole_png[:8], "unreadable_image"),
        ("cut.png", lambda: whole_png[:-40], "unreadable_image"),
        ("cut.jpg", lambda: jpeg[:-200], "unreadable_image"),
        ("cut.webp", lambda: encoded(plain(), "WEBP")[:-30], "unreadable_image"),
        ("cut.gif", lambda: encoded(plain("P"), "GIF")[:-60], "unreadable_image"),
        ("cut.tif", lambda: encoded(plain(), "TIFF")[:-60], "unreadable_image"),
        ("cut.bmp", lambda: encoded(plain(), "BMP")[:-60], "unreadable_image"),
        ("cut.ppm", lambda: encoded(plain(), "PPM")[:-60], "unreadable_image"),
        ("zeros.jpg", lambda: bytes(4_096), "not_a_picture"),
        ("zeros inside.jpg", lambda: jpeg[:300] + bytes(len(jpeg) - 300), "unreadable_image"),
        ("checksum.png", lambda: whole_png.replace(b"IDAT", b"IDAT\0", 1)[:-1], "unreadable_image"),
        ("loop of directories.tif", lambda: tiff_pixels(following=8), None),
        ("directory beyond the end.tif", lambda: tiff_pixels(following=2**31), "unreadable_image"),
        ("ten thousand smaller copies.tif", lambda: tiff_of_many_pages(10_000), "several_frames"),
        ("no directory.tif", lambda: b"II*\0\xff\xff\xff\xff" + bytes(40), "unreadable_image"),
        ("no entries.tif", lambda: tiff(), "unreadable_image"),
        # frames and pages
        ("animated.gif", lambda: animation("GIF"), "several_frames"),
        ("animated.png", lambda: animation("PNG"), "several_frames"),
        ("animated.webp", lambda: animation("WEBP"), "several_frames"),
        ("pages.tif", lambda: animation("TIFF"), "several_frames"),
        ("smaller copy.tif", lambda: tiff_with_pages(1), None),
        ("other page.tif", lambda: tiff_with_pages(0), "several_frames"),
        ("photograph with preview.mpo", lambda: animation("MPO"), None),
        ("one frame.gif", lambda: encoded(plain("P"), "GIF"), None),
        # pixels
        ("cmyk.jpg", lambda: encoded(plain("CMYK"), "JPEG"), None),
        ("cmyk.tif", lambda: encoded(plain("CMYK"), "TIFF"), None),
        ("palette with clear.png", lambda: encoded(plain("P"), "PNG", transparency=3), None),
        ("clear.png", lambda: encoded(plain("RGBA"), "PNG"), None),
        ("grey with clear.png", lambda: encoded(plain("LA"), "PNG"), None),
        ("black and white.png", lambda: encoded(plain("1"), "PNG"), None),
        ("black and white.ppm", lambda: encoded(plain("1"), "PPM"), None),
        ("sixteen bits.png", lambda: encoded(Image.new("I;16", (WIDTH, HEIGHT), 30_000), "PNG"), "unsupported_pixels"),
        ("sixteen bits.tif", lambda: encoded(Image.new("I;16", (WIDTH, HEIGHT), 30_000), "TIFF"), "unsupported_pixels"),
        ("sixteen bits of colour.png", lambda: sixteen_bits_of_colour(), None),
        ("floats.tif", lambda: encoded(plain("F"), "TIFF"), "unsupported_pixels"),
        ("integers.tif", lambda: encoded(plain("I"), "TIFF"), "unsupported_pixels"),
        # what is beside the pixels
        ("profile bomb.png", lambda: with_png_chunks(profile), "metadata_too_large"),
        ("text bomb.png", lambda: with_png_chunks(text), "metadata_too_large"),
        ("many texts.png", lambda: with_png_chunks(*many_texts), "metadata_too_large"),
        ("profile of sixteen megabytes.jpg", lambda: with_segments(*profile_parts), None),
        ("tags that overlap.jpg", lambda: with_segments((0xE1, exif_of_many_tags())), None),
        ("exif of nothing.jpg", lambda: with_segments((0xE1, b"Exif\0\0")), None),
        ("exif that loops.jpg", lambda: with_segments((0xE1, b"Exif\0\0" + tiff((0x8769, 4, 1, 8), following=8))), None),
        ("orientation nine.jpg", lambda: turned(9, "JPEG"), None),
        ("on its side.jpg", lambda: turned(6, "JPEG"), None),
        ("on its side.png", lambda: turned(8, "PNG"), None),
        ("on its side.tif", lambda: turned(5, "TIFF"), None),
        ("page in a comment.jpg", lambda: with_segments((0xFE, b"<html><script>alert(1)</script>")), None),
        ("archive behind.png", lambda: whole_png + zip_of(bytes(10**6)), None),
        ("film behind.jpg", lambda: jpeg + b"\0\0\0\x18ftypmp42" + bytes(100), None),
        # other things under a picture's name
        ("drawing.png", lambda: svg, "not_a_picture"),
        ("document.jpg", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not_a_picture"),
        ("program.jpg", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n/a {(id) run} def", "not_a_picture"),
        ("page.jpg", lambda: b"<!DOCTYPE html><html><title>404", "not_a_picture"),
        ("archive.png", lambda: zip_of(bytes(10**6)), "not_a_picture"),
        ("pickle.png", lambda: b"\x80\x04\x95\x0f\0\0\0\0\0\0\0\x8c\x02os\x94\x93", "not_a_picture"),
        ("pointer.png", lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "not_a_picture"),
        ("icon.ico", lambda: encoded(plain(), "ICO"), "not_a_picture"),
        ("new.heic", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not_a_picture"),
        ("new.avif", lambda: b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "not_a_picture"),
        ("photoshop.psd", lambda: b"8BPS\0\x01" + bytes(40), "not_a_picture"),
        ("old.tga", lambda: encoded(plain(), "TGA"), "not_a_picture"),
        ("noise.jpg", lambda: bytes(range(256)) * 9, "not_a_picture"),
        ("png.jpg", lambda: whole_png, None),
        ("jpeg", lambda: jpeg, None),
        ("jpeg.exe", lambda: jpeg, None),
    ]  # fmt: skip
    return [HostileFile(*row) for row in rows]


HOSTILE_FILES = _table()
