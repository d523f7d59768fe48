"""The location in EXIF, a TIFF structure: GPS directories are overwritten with zeros and their pointers taken out, in place.

No other byte moves, so every offset stays true. Makers' notes go, too: they have no public form, and Nikon's, Panasonic's and
DJI's hold places. So do GeoTIFF's tags. Layout: TIFF 6.0 section 2, EXIF 3.0 section 4.6, BigTIFF as libtiff defines it.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lgt_assets.release.location.blocks import LocationError, Patched

GPS_DIRECTORY = 0x8825
_DIRECTORIES = (0x8769, 0xA005, 0x014A)  # EXIF, interoperability, sub-directories
_ERASED = {0x927C: "maker note"} | dict.fromkeys(
    (33550, 33922, 34264, 34735, 34736, 34737, 42112, 50844), "georeference"
)
_PIXELS = {0x0111: 0x0117, 0x0144: 0x0145, 0x0201: 0x0202}  # offsets of strips, tiles and thumbnails, and their sizes
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_ENTRIES = 200_000  # some hundred times those of a picture; directories that overlap would take hours

Range = tuple[int, int]


@dataclass(frozen=True)
class _Entry:
    place: int  # of its 12 (BigTIFF: 20) bytes
    tag: int
    kind: int
    count: int
    value: Range
    inline: bool


@dataclass
class _Structure:
    block: bytes
    nested: Mapping[int, Callable[[bytes], Patched]]
    order: str = "<"
    big: bool = False
    kept: list[Range] = field(default_factory=list)
    patched: list[tuple[Range, bytes]] = field(default_factory=list)
    erased: list[Range] = field(default_factory=list)
    dropped: dict[Range, set[int]] = field(default_factory=dict)  # places of entries by their directory's range
    removed: set[str] = field(default_factory=set)
    entries: int = 0
    nested_bytes: int = 0

    def number(self, place: int, code: str) -> int:
        try:
            return struct.unpack_from(self.order + code, self.block, place)[0]
        except (struct.error, OverflowError):
            raise LocationError("its EXIF is cut off") from None

    def numbers(self, entry: _Entry) -> tuple[int, ...]:
        start, end = entry.value
        if entry.kind not in _NUMBERS or end > len(self.block):
            raise LocationError(f"its EXIF is malformed (tag {entry.tag:#06x} points nowhere)")
        return struct.unpack_from(f"{self.order}{entry.count}{_NUMBERS[entry.kind]}", self.block, start)

    def directory(self, offset: int) -> tuple[list[_Entry], Range, int]:
        """Entries of the directory at ``offset``, the range that it takes, and the next one's offset."""
        count = self.number(offset, "Q" if self.big else "H")
        head, size, tail = self.sizes
        end = offset + head + count * size
        self.entries += count
        if offset < 8 or end > len(self.block) or self.entries > _MOST_ENTRIES:
            raise LocationError(f"its EXIF is malformed (a directory of {count} entries at {offset})")
        entries = [self._entry(place) for place in range(offset + head, end, size)]
        if end + tail > len(self.block):  # some programs leave the next directory's offset away at the very end
            return entries, (offset, len(self.block)), 0
        return entries, (offset, end + tail), self.number(end, "Q" if self.big else "I")

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Bytes of a directory's count, of an entry, and of the next directory's offset."""
        return (8, 20, 8) if self.big else (2, 12, 4)

    def _entry(self, place: int) -> _Entry:
        tag, kind = struct.unpack_from(self.order + "HH", self.block, place)
        count = self.number(place + 4, "Q" if self.big else "I")
        room, start = (8, place + 12) if self.big else (4, place + 8)
        size = _SIZES.get(kind, 1) * count
        if size > room:
            start = self.number(start, "Q" if self.big else "I")
        return _Entry(place, tag, kind, count, (start, start + size), size <= room)


def without_gps(block: bytes, nested: Mapping[int, Callable[[bytes], Patched]]) -> Patched:
    """A TIFF structure of the same length without its location.

    Args:
        block: from its byte order mark on: an EXIF block, or a whole TIFF file, whose pixels stay.
        nested: what patches the value of a tag: XMP, IPTC, Photoshop's resources.

    Raises:
        LocationError: directories are cut off, loop through a GPS directory, or overlap what must stay.
    """
    structure = _opened(block, nested)
    pending = [(structure.number(8, "Q") if structure.big else structure.number(4, "I"), False)]
    seen: dict[int, bool] = {}
    while pending:
        offset, is_gps = pending.pop()
        if offset in seen:
            if seen[offset] is not is_gps:
                raise LocationError("its EXIF is malformed (a directory is its own GPS directory)")
            continue
        seen[offset] = is_gps
        entries, taken, following = structure.directory(offset)
        if is_gps:
            _erase_directory(structure, entries, taken)
            continue
        structure.kept.append(taken)
        for entry in entries:
            pending += _judge(structure, entry, taken)
        structure.kept += _pixels(structure, entries)
        pending += [(following, False)] if following else []
    return _applied(structure)


def _opened(block: bytes, nested: Mapping[int, Callable[[bytes], Patched]]) -> _Structure:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    magic = struct.unpack_from(order + "H", block, 2)[0] if order and len(block) >= 8 else 0
    if magic not in (42, 43):
        raise LocationError("its EXIF is malformed (no TIFF header)")
    return _Structure(block, nested, order or "<", magic == 43, kept=[(0, 16 if magic == 43 else 8)])


def _judge(structure: _Structure, entry: _Entry, directory: Range) -> list[tuple[int, bool]]:
    """Note what becomes of an entry; offsets of the directories it points to, each with whether it is GPS."""
    start, end = entry.value
    if entry.tag == GPS_DIRECTORY:
        structure.dropped.setdefault(directory, set()).add(entry.place)
        structure.removed.add("EXIF GPS")
        return [(offset, True) for offset in structure.numbers(entry)]
    if entry.tag in _DIRECTORIES:
        return [(offset, False) for offset in structure.numbers(entry)]
    if entry.tag in _ERASED:
        structure.dropped.setdefault(directory, set()).add(entry.place)
        structure.removed.add(_ERASED[entry.tag])
        if not entry.inline:
            structure.erased.append((start, min(end, len(structure.block))))
    elif entry.tag in structure.nested:
        _patch(structure, entry)
    elif not entry.inline:
        structure.kept.append((start, end))
    return []


def _patch(structure: _Structure, entry: _Entry) -> None:
    start, end = entry.value
    # Blocks that do not overlap are no longer than the whole; else nesting could take hours.
    structure.nested_bytes += end - start
    if structure.nested_bytes > len(structure.block) or end > len(structure.block):
        raise LocationError(f"its EXIF is malformed (the value of tag {entry.tag:#06x} is cut off, or overlaps others)")
    patched = structure.nested[entry.tag](structure.block[start:end])
    if patched.removed:
        structure.removed |= patched.removed
        structure.patched.append(((start, end), patched.content))
    elif not entry.inline:
        structure.kept.append((start, end))


def _erase_directory(structure: _Structure, entries: list[_Entry], taken: Range) -> None:
    structure.erased.append(taken)
    for entry in entries:
        start, end = entry.value
        if end > len(structure.block):
            raise LocationError(f"its EXIF is malformed (a GPS value of {end - start} bytes at {start})")
        if not entry.inline:
            structure.erased.append((start, end))


def _pixels(structure: _Structure, entries: list[_Entry]) -> list[Range]:
    """Where pixels lie, which no malformed GPS directory may overwrite."""
    found: list[Range] = []
    for offsets, sizes in _PIXELS.items():
        starts = [number for entry in entries if entry.tag == offsets for number in structure.numbers(entry)]
        lengths = [number for entry in entries if entry.tag == sizes for number in structure.numbers(entry)]
        found += [(start, start + length) for start, length in zip(starts, lengths, strict=False)]
    return found


def _applied(structure: _Structure) -> Patched:
    if not structure.removed:
        return Patched(structure.block)
    _refuse_overlaps(structure)
    content = bytearray(structure.block)
    for (start, end), value in structure.patched:
        content[start:end] = value
    for start, end in structure.erased:
        content[start:end] = bytes(max(0, end - start))
    head, size, _ = structure.sizes
    for (start, end), places in structure.dropped.items():
        count = structure.number(start, "Q" if structure.big else "H")
        first, last = start + head, start + head + count * size
        left = [content[place : place + size] for place in range(first, last, size) if place not in places]
        content[start:first] = struct.pack(structure.order + ("Q" if structure.big else "H"), len(left))
        content[first:end] = b"".join([*left, content[last:end]]).ljust(end - first, b"\0")
    return Patched(bytes(content), frozenset(structure.removed))


def _refuse_overlaps(structure: _Structure) -> None:
    """Raise LocationError where what is overwritten is also something that stays."""
    changed = structure.erased + [place for place, _ in structure.patched]
    ranges = [(*place, True) for place in changed] + [(*place, False) for place in structure.kept]
    reach = {True: 0, False: 0}
    for start, end, changes in sorted(ranges):
        if start >= end:
            continue
        if start < reach[not changes]:
            raise LocationError("its EXIF is malformed (the location overlaps other values)")
        reach[changes] = max(reach[changes], end)
