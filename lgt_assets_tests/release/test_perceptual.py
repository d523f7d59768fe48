"""A picture is known again after it was re-encoded and resized; others are not taken for it."""

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lgt_assets.embedded.scenes import generate_scene, render
from lgt_assets.release.perceptual import near_earlier, near_hashes, picture_hash
from lgt_assets.settings import ReleaseSettings
from lgt_assets.sources.records import RowRejected

DISTANCE = ReleaseSettings().picture_distance
HERE = Path("here.png")


def encoded(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **({"format": "PNG"} | options))
    return buffer.getvalue()


def bits(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    return [render(generate_scene(seed)).convert("RGB") for seed in range(30)]


def test_the_same_picture_in_other_bytes_is_near(scenes):
    for scene in scenes:
        own = picture_hash(encoded(scene), HERE)
        half = scene.resize((scene.width // 2, scene.height // 2))
        turned = scene.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
        for data in (
            encoded(scene, format="JPEG", quality=50), encoded(half, format="JPEG", quality=85), encoded(half, format="WEBP"),
            encoded(scene.convert("RGBA")), encoded(turned, exif=exif),
        ):  # fmt: skip
            assert bits(own, picture_hash(data, HERE)) <= DISTANCE


def test_other_pictures_are_far(scenes):
    hashes = [picture_hash(encoded(scene), HERE) for scene in scenes]
    for index, own in enumerate(hashes):
        assert all(bits(own, other) > DISTANCE for other in hashes[:index])


@pytest.mark.parametrize("data", [b"", b"text", encoded(Image.new("RGB", (9, 9)))[:45]])
def test_what_is_no_picture_is_rejected(data):
    with pytest.raises(RowRejected, match="here.png is not a whole picture"):
        picture_hash(data, HERE)


HASHES = st.lists(st.integers(0, 2**64 - 1).map(lambda value: f"{value:016x}"), max_size=12)


@given(HASHES, HASHES, st.integers(0, 64))
def test_near_hashes_are_those_that_counting_finds(ours, theirs, distance):
    found = near_hashes(pl.Series(ours, dtype=pl.String), pl.Series(theirs, dtype=pl.String), distance)
    expected = []
    for row, own in enumerate(ours):
        least = min(((bits(own, other), match) for match, other in enumerate(theirs)), default=(65, 0))
        if least[0] <= distance:
            expected.append((row, least[1], least[0]))
    assert found.rows() == expected


def test_more_hashes_than_one_chunk_holds():
    ours = pl.Series([f"{value:016x}" for value in range(0, 3000 * 2**20, 2**20)])
    assert near_hashes(ours, pl.Series([ours[2999], ours[5]]), 0).rows() == [(5, 1, 0), (2999, 0, 0)]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.lists(st.integers(0, 39), max_size=10), st.integers(0, 8))
def test_near_earlier_ones_are_those_that_a_comparison_of_all_pairs_finds(
    numbers: list[int], again: list[int], distance: int
) -> None:
    numbers += [numbers[place] ^ 0b101 for place in again if place < len(numbers)]
    hashes = pl.Series([f"{number:016x}" for number in numbers], dtype=pl.String)
    near = [
        row
        for row in range(len(numbers))
        if any((numbers[row] ^ other).bit_count() <= distance for other in numbers[:row])
    ]
    assert near_earlier(hashes, distance)["row"].to_list() == near
