"""Boxes found in an upright picture, in the pixels of the file as the camera stored it."""

import io

import pytest
from PIL import Image, ImageOps

from lgt_assets.engines.orientation import orientation_of, stored_edges

WIDTH, HEIGHT, BOX = 60, 40, (10, 5, 22, 30)


def turned(orientation: int) -> Image.Image:
    """A black picture with one white box, opened from a file that notes ``orientation``."""
    picture = Image.new("L", (WIDTH, HEIGHT))
    picture.paste(255, BOX)
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    picture.save(buffer, "PNG", exif=exif)
    return Image.open(buffer)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_box_of_the_upright_picture_is_that_of_the_file(orientation: int) -> None:
    stored = turned(orientation)
    assert orientation_of(stored) == orientation
    upright = ImageOps.exif_transpose(stored)
    assert stored_edges(upright.getbbox(), orientation, WIDTH, HEIGHT) == BOX


def test_what_leaves_the_picture_is_cut() -> None:
    assert stored_edges((-5, -1, 99, 41), 1, WIDTH, HEIGHT) == (0, 0, WIDTH, HEIGHT)


@pytest.mark.parametrize("noted", [0, 9, 77])
def test_an_orientation_that_does_not_exist_is_none(noted: int) -> None:
    assert orientation_of(turned(noted)) == 1
