"""Boxes lie where the file's pixels say, pictures stay small, and a broken one is an error that says what to do."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lgt_assets.errors import SourceError
from lgt_assets.pictures import COLOURS, Box, data_address, draw_boxes, picture_of
from lgt_assets_tests.rows import image_row
from lgt_assets_tests.sources.pictures import picture_bytes


def content(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(jpeg))
    assert picture.format == "JPEG"
    return picture.convert("RGB")


def is_near(pixel: tuple, colour: str) -> bool:
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return all(abs(found - value) < 60 for found, value in zip(pixel, wanted, strict=True))


GREY = content(Image.new("RGB", (800, 400), "#808080"))


def test_a_box_is_drawn_where_it_lies_in_the_file_s_pixels() -> None:
    drawn = opened(draw_boxes(GREY, [Box(200, 100, 600, 300)], longest_side=200))
    assert drawn.size == (200, 100)
    for edge in ((50, 50), (150, 50), (100, 25), (100, 75)):
        assert is_near(drawn.getpixel(edge), COLOURS[0]), edge
    for elsewhere in ((100, 50), (30, 50), (170, 50), (100, 90)):
        assert is_near(drawn.getpixel(elsewhere), "#808080"), elsewhere


def test_boxes_have_colours_in_their_order_and_labels_of_that_colour() -> None:
    drawn = opened(draw_boxes(GREY, [Box(10, 200, 390, 390, "1"), Box(410, 200, 790, 390, "2")], longest_side=800))
    assert is_near(drawn.getpixel((200, 200)), COLOURS[0])
    assert is_near(drawn.getpixel((600, 200)), COLOURS[1])
    assert is_near(drawn.getpixel((12, 195)), COLOURS[0])  # the label's ground stands on the box
    assert is_near(drawn.getpixel((412, 195)), COLOURS[1])


def test_a_picture_is_not_enlarged_and_clear_parts_are_white() -> None:
    clear = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    drawn = opened(draw_boxes(content(clear), longest_side=500))
    assert drawn.size == (40, 30)
    assert is_near(drawn.getpixel((20, 15)), "#ffffff")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("side", [100, 800])  # at 100, a JPEG is decoded at a fraction of its size
def test_a_turned_photograph_is_shown_upright_with_its_boxes(kind: str, side: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turned by viewers
    photograph = content(Image.new("RGB", (800, 400), "white"), kind, exif=exif)
    drawn = opened(draw_boxes(photograph, [Box(100, 600, 300, 780)], longest_side=side))
    assert drawn.size == (side // 2, side)
    scale = side / 800
    assert is_near(drawn.getpixel((round(200 * scale), round(601 * scale))), COLOURS[0])
    assert is_near(drawn.getpixel((round(200 * scale), round(300 * scale))), "#ffffff")
    assert not drawn.getexif()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("most", [2_000, 14_000])
def test_noise_of_any_size_fits_what_is_allowed(kind: str, most: int) -> None:
    noise = content(Image.effect_noise((1600, 1200), 120).convert("RGB"), kind)
    assert len(draw_boxes(noise, [Box(0, 0, 800, 600, "1")], longest_side=1000, most_bytes=most)) <= most


@given(st.lists(st.floats(allow_nan=False), min_size=4, max_size=4), st.text(max_size=60))
def test_no_box_and_no_label_breaks_the_picture(edges: list[float], label: str) -> None:
    assert opened(draw_boxes(picture_bytes(), [Box(*edges, label)], longest_side=64)).size == (40, 30)


def test_a_file_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(GREY)
    assert opened(draw_boxes(path, longest_side=80)).size == (80, 40)
    row = image_row(uri=str(path))
    with pytest.raises(SourceError, match=rf"{row['image_id']}.*a\.png is not the one that was added"):
        picture_of(row, longest_side=80)
    path.unlink()
    with pytest.raises(SourceError, match=rf"{row['image_id']}.*a\.png cannot be read"):
        picture_of(row, longest_side=80)


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(SourceError, match="cannot be decoded"):
        draw_boxes(b"no picture", longest_side=80)
    with pytest.raises(SourceError, match="cannot be decoded"):
        draw_boxes(GREY[: len(GREY) // 2], longest_side=80)


def test_the_address_holds_the_picture() -> None:
    assert data_address(b"jpeg") == "data:image/jpeg;base64,anBlZw=="
