"""Where a picture was taken is taken out; its pixels, orientation and camera stay; and what cannot be read is refused."""

import hashlib
import io
import os
import re
import struct
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from lgt_assets.release.location import LocationError, without_location
from lgt_assets_tests.release.located_pictures import (
    CITY,
    EXTENSION_HEADER,
    FORMATS,
    LOCATED_IPTC,
    LOCATED_RESOURCES,
    LOCATED_XMP,
    XMP_HEADER,
    camera_exif,
    encoded,
    exif_block,
    iptc,
    jpeg,
    jpeg_exif,
    jpeg_with_long_xmp,
    noise,
    png,
    png_chunk,
    png_text,
    raw_profile,
    resource,
    segment,
    webp,
    xmp_packet,
)

EXAMPLES = int(os.environ.get("LGT_FUZZ_EXAMPLES", "150"))


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.mode.encode() + repr(picture.size).encode() + picture.tobytes()


def exif_of(content: bytes) -> Image.Exif:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.getexif()


def gps_of(content: bytes) -> dict:
    exif = exif_of(content)
    return exif.get_ifd(ExifTags.IFD.GPSInfo) if ExifTags.IFD.GPSInfo in exif else {}


def taken_out(content: bytes, *removed: str) -> bytes:
    """The content without location, with the same pixels, and nothing left for a second turn."""
    changed = without_location(content)
    assert changed.removed == tuple(sorted(removed))
    assert pixels(changed.content) == pixels(content)
    assert CITY.encode() not in changed.content
    again = without_location(changed.content)
    assert again == (changed.content, ())
    return changed.content


@pytest.mark.parametrize("kind", FORMATS)
def test_gps_goes_and_the_rest_of_exif_stays(kind: str) -> None:
    content = encoded(noise(), kind, exif=camera_exif().tobytes())
    assert gps_of(content)[2]
    changed = taken_out(content, "EXIF GPS")
    exif = exif_of(changed)
    assert ExifTags.IFD.GPSInfo not in exif
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation]) == ("Acme", 6)
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] == pytest.approx(2.8)
    assert len(changed) == len(content)


@pytest.mark.parametrize("kind", [*FORMATS, "GIF", "BMP", "PPM"])
def test_a_picture_without_a_location_stays_as_it_is(kind: str) -> None:
    content = encoded(noise(), kind, **({} if kind in ("GIF", "BMP", "PPM") else {"exif": camera_exif(located=False)}))
    assert without_location(content) == (content, ())


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_and_bigtiff_keep_every_other_value(order: str, big: bool) -> None:
    block = exif_block(order, big=big)
    changed = taken_out(jpeg(jpeg_exif(block)), "EXIF GPS") if not big else taken_out_of_block(block)
    rationals = b"".join(struct.pack(order + "II", round(value * 10_000), 10_000) for value in (48.0, 51.0, 29.6412))
    assert rationals in block and rationals not in changed
    assert b"Acme Cameras\0" in changed and b"0232" in changed
    if not big:
        exif = exif_of(changed)
        assert (exif[0x010F], exif[0x0112], exif.get_ifd(0x8769)[0xA002]) == ("Acme Cameras", 6, 40)


def taken_out_of_block(block: bytes) -> bytes:
    changed = without_location(block)
    assert changed.removed == ("EXIF GPS",) and len(changed.content) == len(block)
    assert without_location(changed.content) == (changed.content, ())
    return changed.content


def test_makers_notes_go() -> None:
    changed = taken_out(jpeg(jpeg_exif(exif_block("<", maker_note=CITY.encode() * 3))), "EXIF GPS", "maker note")
    assert ExifTags.Base.MakerNote not in exif_of(changed).get_ifd(ExifTags.IFD.Exif)


def test_georeferenced_pictures_lose_their_place() -> None:
    tags = {33550: (0.5, 0.5, 0.0), 33922: (0.0, 0.0, 0.0, 13.2, 49.0, 0.0), 34737: f"{CITY}|"}
    exif = camera_exif(located=False)
    for tag, value in tags.items():
        exif[tag] = value
    changed = taken_out(encoded(noise(), "TIFF", exif=exif), "georeference")
    assert not set(tags) & set(exif_of(changed)) and exif_of(changed)[ExifTags.Base.Make] == "Acme"


def test_every_page_of_a_tiff_is_looked_at() -> None:
    content = encoded(noise(), "TIFF", save_all=True, append_images=[noise(1)], exif=camera_exif().tobytes())
    changed = taken_out(content, "EXIF GPS")
    for page in range(2):
        with Image.open(io.BytesIO(changed)) as picture, Image.open(io.BytesIO(content)) as before:
            picture.seek(page), before.seek(page)
            assert 0x8825 not in picture.tag_v2 and picture.tobytes() == before.tobytes()


def test_every_exif_segment_and_picture_of_a_file_is_looked_at() -> None:
    content = jpeg(jpeg_exif(exif_block("<")), jpeg_exif(exif_block(">")))
    assert b"\0\x88\x25\0" not in taken_out(content, "EXIF GPS")
    second = jpeg(jpeg_exif(exif_block(">")))
    changed = taken_out(jpeg(after=second), "EXIF GPS")
    assert gps_of(second) and not gps_of(changed[-len(second) :]) and len(changed) == len(jpeg(after=second))


def test_pictures_of_an_mpo_file_stay_where_they_are() -> None:
    content = encoded(noise(), "MPO", save_all=True, append_images=[noise(1)], exif=camera_exif().tobytes())
    changed = taken_out(content, "EXIF GPS")
    with Image.open(io.BytesIO(changed)) as picture, Image.open(io.BytesIO(content)) as before:
        assert picture.format == "MPO"
        picture.seek(1), before.seek(1)
        assert picture.tobytes() == before.tobytes()


def test_a_thumbnails_own_exif_is_looked_at() -> None:
    thumbnail = jpeg(jpeg_exif(exif_block("<")))
    block = bytearray(exif_block("<"))
    place = block.index(b"0232") - 8  # the version's entry becomes the offset of a picture, which readers of bytes find
    block[place : place + 12] = struct.pack("<HHII", 0x0201, 4, 1, len(block))
    changed = taken_out(jpeg(jpeg_exif(bytes(block) + thumbnail)), "EXIF GPS")
    assert changed.count(struct.pack("<H", 0x8825)) == 0


def test_films_and_archives_after_the_picture_are_cut_off() -> None:
    film = b"\0\0\0\x18ftypmp42" + b"\xa9xyz+48.8566+002.3522/" * 3
    for content in (jpeg(), png(), webp()):
        assert taken_out(content + film, "bytes after the picture") == content
        assert without_location(content + b"\0" * 9).removed == ()


@pytest.mark.parametrize(
    "content",
    [
        jpeg(segment(0xE1, XMP_HEADER + LOCATED_XMP)),
        png(png_text("XML:com.adobe.xmp", LOCATED_XMP, "iTXt")),
        png(png_text("XML:com.adobe.xmp", LOCATED_XMP, "iTXt compressed")),
        png(png_text("Raw profile type xmp", raw_profile("xmp", LOCATED_XMP), "zTXt")),
        png(png_text("Raw profile type APP1", raw_profile("generic profile", XMP_HEADER + LOCATED_XMP))),
        webp((b"XMP ", LOCATED_XMP)),
        encoded(noise(), "TIFF", tiffinfo={0x02BC: LOCATED_XMP}),
        encoded(noise(mode="P"), "GIF", xmp=LOCATED_XMP)
        if b"XMP DataXMP" in encoded(noise(mode="P"), "GIF", xmp=LOCATED_XMP)
        else encoded(noise(mode="P"), "GIF")[:-1] + b"\x21\xff\x0bXMP DataXMP" + LOCATED_XMP + b"\x01"
        + bytes(range(255, -1, -1)) + b"\0\x3b",
    ],
    ids=["jpeg", "png", "png-compressed", "png-zTXt", "png-APP1", "webp", "tiff", "gif"],
)  # fmt: skip
def test_places_in_xmp_become_spaces(content: bytes) -> None:
    changed = taken_out(content, "XMP")
    with Image.open(io.BytesIO(changed)) as picture:
        packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else packet
    if packet:
        assert b'tiff:Orientation="6" xmp:Rating="4"' in packet and b"A title &gt; none" in packet
        assert b"GPS" not in packet and b"photoshop:C" not in packet and len(packet.rstrip()) == len(LOCATED_XMP)
        assert packet.count(b"Location") == 0


def test_long_xmp_is_put_together_and_named_anew() -> None:
    text = xmp_packet(f"<photoshop:City>{CITY}</photoshop:City>" + "<dc:note>text</dc:note>" * 99)
    before = hashlib.md5(text).hexdigest().upper().encode()
    changed = taken_out(jpeg_with_long_xmp(text), "XMP")
    blanked = text.replace(
        f"<photoshop:City>{CITY}</photoshop:City>".encode(), b" " * (len(CITY) + 2 * len("<photoshop:City>") + 1)
    )
    assert before not in changed
    assert changed.count(hashlib.md5(blanked).hexdigest().upper().encode()) == 3  # in the packet, and in both parts


def test_pictures_inside_xmp_lose_their_metadata_with_themselves() -> None:
    import base64

    for inside, gone in ((jpeg(jpeg_exif(exif_block("<"))), True), (encoded(noise(), "JPEG"), False)):
        text = base64.encodebytes(inside).decode().replace("\n", "&#xA;")
        packet = xmp_packet(f"<xmp:Thumbnails><xmpGImg:image>{text}</xmpGImg:image></xmp:Thumbnails>")
        changed = without_location(jpeg(segment(0xE1, XMP_HEADER + packet)))
        assert (changed.removed == ("XMP",)) is gone and (text.encode() not in changed.content) is gone


@pytest.mark.parametrize(
    "content",
    [
        jpeg(segment(0xED, b"Photoshop 3.0\0" + LOCATED_RESOURCES)),
        jpeg(
            segment(0xED, b"Photoshop 3.0\0" + LOCATED_RESOURCES[:60]),
            segment(0xED, b"Photoshop 3.0\0" + LOCATED_RESOURCES[60:]),
        ),
        png(png_text("Raw profile type 8bim", raw_profile("8bim", LOCATED_RESOURCES), "zTXt")),
        png(png_text("Raw profile type iptc", raw_profile("iptc", LOCATED_RESOURCES))),
        png(png_text("Raw profile type iptc", raw_profile("iptc", LOCATED_IPTC))),
        encoded(noise(), "TIFF", tiffinfo={0x83BB: LOCATED_IPTC}),
        encoded(noise(), "TIFF", tiffinfo={0x8649: LOCATED_RESOURCES}),
    ],
    ids=["jpeg", "jpeg-split", "png-8bim", "png-iptc-in-8bim", "png-iptc", "tiff", "tiff-photoshop"],
)
def test_places_in_iptc_go_and_the_rest_stays(content: bytes) -> None:
    changed = taken_out(content, "IPTC")
    text = changed if content[:4] != b"\x89PNG" else hex_decoded(changed)
    text = re.sub(rb"\xff\xed..Photoshop 3\.0\0", b"", text, flags=re.DOTALL)  # as one
    kept = iptc((5, b"A title"), (116, b"(c) Acme"))
    assert kept.ljust(len(LOCATED_IPTC), b"\0") in text
    if b"8BIM\x04\x25" in text:
        assert hashlib.md5(kept.ljust(len(LOCATED_IPTC), b"\0")).digest() in text


def hex_decoded(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        (text,) = [value for key, value in picture.info.items() if key.startswith("Raw profile")]
    return bytes.fromhex("".join(text.split("\n")[3:]))


@pytest.mark.parametrize("kind", ["tEXt", "zTXt"])
def test_exif_in_hexadecimal_digits_is_patched_in_place(kind: str) -> None:
    text = raw_profile("exif", b"Exif\0\0" + exif_block(">"))
    content = png(png_text("Raw profile type exif", text, kind))
    assert gps_of(content)
    changed = taken_out(content, "EXIF GPS")
    assert not gps_of(changed) and exif_of(changed)[0x010F] == "Acme Cameras"


def test_checksums_of_png_are_made_anew() -> None:
    content = png(png_chunk(b"eXIf", exif_block("<")), png_text("exif:GPSLatitude", b"48/1"), png_text("City", b"x"))
    changed = taken_out(content, "EXIF GPS", "PNG text")
    place = 8
    while place < len(changed):
        length = int.from_bytes(changed[place : place + 4], "big")
        name_and_data, checksum = changed[place + 4 : place + 8 + length], changed[place + 8 + length :][:4]
        assert zlib.crc32(name_and_data) == int.from_bytes(checksum, "big")
        place += 12 + length


def replaced(block: bytes, old: bytes, new: bytes) -> bytes:
    assert block.count(old) == 1
    return block.replace(old, new)


BLOCK = exif_block("<")
GPS_POINTER = struct.pack("<HHI", 0x8825, 4, 1)
GPS_AT = BLOCK.index(GPS_POINTER) + 8


def pointing_to(offset: int) -> bytes:
    return BLOCK[:GPS_AT] + struct.pack("<I", offset) + BLOCK[GPS_AT + 4 :]


MALFORMED = {
    "GPS directory beyond the end": jpeg(jpeg_exif(pointing_to(0xFFFFFFF0))),
    "GPS directory is the main one": jpeg(jpeg_exif(pointing_to(8))),
    "GPS directory over the header": jpeg(jpeg_exif(pointing_to(2))),
    "GPS directory over other values": jpeg(jpeg_exif(pointing_to(BLOCK.index(b"Acme") - 2))),
    "GPS value beyond the end": jpeg(jpeg_exif(replaced(BLOCK, struct.pack("<HHI", 2, 5, 3), struct.pack("<HHI", 2, 5, 2**31)))),
    "GPS pointer of a wrong type": jpeg(jpeg_exif(replaced(BLOCK, GPS_POINTER, struct.pack("<HHI", 0x8825, 2, 9)))),
    "GPS pointer without end": jpeg(jpeg_exif(replaced(BLOCK, GPS_POINTER, struct.pack("<HHI", 0x8825, 4, 2**32 - 1)))),
    "no TIFF header": jpeg(jpeg_exif(b"48.8566 N 2.3522 E")),
    "cut off": jpeg(jpeg_exif(BLOCK[:40])),
    "next directory beyond the end": jpeg(jpeg_exif(BLOCK[:58] + b"\xff\xff\xff\x7f" + BLOCK[62:])),
    "huge directory": jpeg(jpeg_exif(b"II*\0\x08\0\0\0\xff\xff" + bytes(60))),
    "XMP that is no XML": jpeg(segment(0xE1, XMP_HEADER + b"<x:xmpmeta><exif:GPSLatitude>48</x:xmpmeta>")),
    "XMP with entities": jpeg(segment(0xE1, XMP_HEADER + b'<!DOCTYPE x [<!ENTITY a "48 N">]><x>&a;</x>')),
    "XMP that speaks of GPS": jpeg(segment(0xE1, XMP_HEADER + xmp_packet("<dc:a>GPS Latitude 48</dc:a>"))),
    "XMP in UTF-16": jpeg(segment(0xE1, XMP_HEADER + LOCATED_XMP.decode().encode("utf-16"))),
    "long XMP with a part missing": jpeg(segment(0xE1, EXTENSION_HEADER + b"A" * 32 + struct.pack(">II", 99, 50) + b"<x/>")),
    "IPTC cut off": jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, LOCATED_IPTC[:-4]))),
    "IPTC with other bytes": jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, b"?" + LOCATED_IPTC))),
    "resources cut off": jpeg(segment(0xED, b"Photoshop 3.0\0" + LOCATED_RESOURCES[:-9])),
    "resources of no kind": jpeg(segment(0xED, b"Photoshop 3.0\0" + b"X" + LOCATED_RESOURCES)),
    "signed provenance": jpeg(segment(0xEB, b"JP\0\0jumb c2pa stds.exif exif:GPSLatitude 48")),
    "a comment": jpeg(segment(0xFE, b"GPS position: 48.8566, 2.3522")),
    "segments cut off": jpeg()[:30],
    "pixels without an end": jpeg()[:-2],
    "PNG cut off": png()[:-5],
    "PNG with a broken raw profile": png(png_text("Raw profile type exif", b"\nexif\n 9\nzz")),
    "PNG with broken compression": png(png_chunk(b"zTXt", b"Raw profile type exif\0\0broken")),
    "PNG with a text bomb": png(png_text("Comment", bytes(65 * 2**20), "zTXt")),
    "PNG chunk nobody knows": png(png_chunk(b"loCa", b"GPSLatitude 48")),
    "PNG text": png(png_text("Comment", b"exif:GPSLatitude=48")),
    "WebP cut off": webp()[:-5],
    "WebP chunk nobody knows": webp((b"LOCA", b"GPSLatitude 48")),
    "GIF comment": encoded(noise(mode="P"), "GIF", comment=b"GPSLatitude 48"),
    "a film": b"\0\0\0\x18ftypmp42",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_read_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(LocationError, match=r"exiftool -all= .*leave it out"):
        without_location(MALFORMED[name])


def test_directories_that_loop_end() -> None:
    looped = BLOCK[:58] + struct.pack("<I", 8) + BLOCK[62:]
    assert not gps_of(taken_out(jpeg(jpeg_exif(looped)), "EXIF GPS"))


def test_overlapping_directories_cost_no_hours() -> None:
    entry = struct.pack("<HHII", 0x8769, 4, 1, 0)
    many = b"".join(struct.pack("<HHII", 0x014A, 4, 1, 8 + 2 * place) for place in range(5_000))
    with pytest.raises(LocationError):
        without_location(b"II*\0\x08\0\0\0" + struct.pack("<H", 5_000) + many + entry * 5_000)


SOURCES = {
    "JPEG": jpeg(
        jpeg_exif(exif_block(">", maker_note=b"notes")),
        segment(0xE1, XMP_HEADER + LOCATED_XMP),
        segment(0xED, b"Photoshop 3.0\0" + LOCATED_RESOURCES),
    ),
    "PNG": png(
        png_chunk(b"eXIf", exif_block("<")), png_text("XML:com.adobe.xmp", LOCATED_XMP, "iTXt"),
        png_text("Raw profile type iptc", raw_profile("iptc", LOCATED_RESOURCES), "zTXt"),
    ),
    "WEBP": webp((b"EXIF", exif_block(">")), (b"XMP ", LOCATED_XMP)),
    "TIFF": encoded(noise(), "TIFF", exif=camera_exif().tobytes(), tiffinfo={0x02BC: LOCATED_XMP}),
}  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(kind=st.sampled_from(FORMATS), data=st.data())
def test_damaged_files_are_refused_or_hold_no_location_that_pillow_reads(kind: str, data: st.DataObject) -> None:
    content = bytearray(SOURCES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, min(len(content), 1500) - 1))
        content[place] = data.draw(st.sampled_from((0, 1, 2, 8, 0x7F, 0x88, 0xFF)) | st.integers(0, 255))
    try:
        changed = without_location(bytes(content))
    except LocationError:
        return
    assert not located(changed.content)
    try:
        before = pixels(bytes(content))
    except Exception:  # noqa: BLE001
        return  # no picture any more
    assert pixels(changed.content) == before


def located(content: bytes) -> bool:
    """Whether Pillow finds a position: by its own parser of EXIF, which knows nothing of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gps = gps_of(content)
    except Exception:  # noqa: BLE001
        return False
    return bool(gps)


@settings(max_examples=EXAMPLES, deadline=None)
@given(block=st.binary(max_size=300), order=st.sampled_from([b"II*\0", b"MM\0*", b"II+\0"]), start=st.integers(0, 40))
def test_any_exif_is_refused_or_gives_a_block_of_the_same_length(block: bytes, order: bytes, start: int) -> None:
    whole = order + start.to_bytes(4, "little" if order[:1] == b"I" else "big") + block
    try:
        changed = without_location(whole)
    except LocationError:
        return
    assert len(changed.content) == len(whole)
    assert without_location(changed.content).removed == ()
