"""Small pictures and manifests, good and bad, for the tests of sources."""

import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image

from lgt_assets.sources import Picture, SourceProblem, open_source
from lgt_assets.sources.inspection import inspect

WIDTH, HEIGHT = 40, 30


def picture_bytes(number: int = 0, kind: str = "PNG") -> bytes:
    """A whole picture of 40 x 30 pixels; another number, another content."""
    buffer = io.BytesIO()
    Image.effect_noise((WIDTH, HEIGHT), 50 + number).save(buffer, format=kind)
    return buffer.getvalue()


def flat_picture(path: Path, number: int) -> Path:
    """A PNG of one colour, the same bytes at every call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (number % 256, number // 256, 7)).save(path)
    return path


def plain_bytes(number: int, kind: str = "JPEG") -> bytes:
    """A picture of one colour, the same bytes at every call; another of the first 125 numbers, another content in any format."""
    buffer = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), tuple(51 * (number // base % 5) for base in (1, 5, 25))).save(buffer, format=kind)
    return buffer.getvalue()


def plain_picture(path: Path, number: int) -> Path:
    """:func:`plain_bytes` as a JPEG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plain_bytes(number))
    return path


def bomb_bytes(side: int = 30_000) -> bytes:
    """A PNG whose header promises side x side pixels; a few dozen bytes long."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def row(image: str, /, **changes: object) -> dict:
    """A good row of a manifest; a change to ``None`` leaves the field away."""
    fields = {
        "image": image,
        "caption": "A red ball lies on grass.",
        "boxes": [{"label": "ball", "box": [1, 2, 20, 25.5], "phrase": "red ball"}],
        "license": "CC0-1.0",
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def write_lines(path: Path, rows: list[dict | str]) -> Path:
    """A JSON Lines manifest; text goes in as it is."""
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def flat_manifest(folder: Path, numbers: range, name: str = "manifest.jsonl") -> Path:
    """A manifest of good rows with ids, their pictures beside it."""
    rows = []
    for number in numbers:
        flat_picture(folder / f"{number}.png", number)
        rows.append(row(f"{number}.png", id=f"id{number}"))
    return write_lines(folder / name, rows)


def judged(manifest: Path) -> list[Picture | SourceProblem]:
    """Every row of a manifest, looked at."""
    source = open_source("manifest", {"path": str(manifest)})
    return [
        entry if isinstance(entry, SourceProblem) else inspect(entry)
        for entry in source.records(manifest.parent / "unused")
    ]
