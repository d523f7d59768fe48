"""What a file is by its first bytes, whatever its name or a server says."""

from typing import NamedTuple


class PictureType(NamedTuple):
    """Pillow's name of a format, and the file endings that are usual for it."""

    name: str
    endings: tuple[str, ...]


_JPEG = PictureType("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"))
_PICTURES: tuple[tuple[bytes, PictureType], ...] = (
    (b"\x89PNG\r\n\x1a\n", PictureType("PNG", (".png", ".apng"))),
    (b"\xff\xd8\xff", _JPEG),
    (b"GIF87a", PictureType("GIF", (".gif",))),
    (b"GIF89a", PictureType("GIF", (".gif",))),
    (b"BM", PictureType("BMP", (".bmp", ".dib"))),
    *(
        (magic, PictureType("TIFF", (".tif", ".tiff")))
        for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    ),
    *(
        (b"P" + digit, PictureType("PPM", (".ppm", ".pgm", ".pbm", ".pnm")))
        for digit in (b"1", b"2", b"3", b"4", b"5", b"6")
    ),
)  # fmt: skip
_WEBP = PictureType("WEBP", (".webp",))
# What is often taken for a picture, and how to make one of it.
_OTHERS = (
    (b"%PDF-", "a PDF document; export its page as PNG"),
    (b"%!PS", "a PostScript or EPS program; render it to PNG"),
    (b"PK\x03\x04", "a ZIP archive; unpack it"),
    (b"\x1f\x8b", "compressed by gzip; unpack it"),
    (b"\0\0\x01\0", "an icon (ICO); save it as PNG"),
    (b"8BPS", "a Photoshop document; export it as PNG"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file; run `git lfs pull`"),
)
_FILM_BRANDS = {b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}
HEAD_BYTES = 512


def picture_type(head: bytes) -> PictureType | None:
    """The format by a file's first :data:`HEAD_BYTES` bytes; None where it is none that is read here."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _WEBP
    return next((found for magic, found in _PICTURES if head.startswith(magic)), None)


def other_type(head: bytes) -> str:
    """What a file is that is no picture, in words that say what to do; for messages only."""
    for magic, description in _OTHERS:
        if head.startswith(magic):
            return description
    if head[4:8] == b"ftyp":
        brand = _FILM_BRANDS.get(head[8:12])
        return f"a picture in {brand}; convert it to JPEG or PNG" if brand else "a film; take a frame of it"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<?xml", b"<svg", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG drawing; render it to PNG"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        return "a page in HTML, as servers send instead of a file that is gone"
    if not head.strip(b"\0"):
        return "zeros alone, as a copy that failed leaves; copy it again"
    return "no picture; convert it"
