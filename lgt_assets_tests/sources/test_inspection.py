"""Looking at files: whatever the bytes, a size or a reason."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.sources.decoding import MAX_PIXELS, decoded, decoded_size, orientation_of
from lgt_assets.sources.records import RowRejected
from lgt_assets_tests.sources.hostile_pictures import HOSTILE_FILES
from lgt_assets_tests.sources.pictures import HEIGHT, WIDTH, bomb_bytes, picture_bytes

# A longer run: LGT_FUZZ_EXAMPLES=100000 pytest lgt_assets_tests/sources -k "damaged or any"
EXAMPLES = int(os.environ.get("LGT_FUZZ_EXAMPLES", "200"))
REASONS = (
    "image_too_large", "image_too_narrow", "metadata_too_large", "not_a_picture", "several_frames", "unreadable_image",
    "unsupported_pixels",
)  # fmt: skip
WHOLE = {kind: picture_bytes(kind=kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")}


def reason(data: bytes) -> str:
    with pytest.raises(RowRejected) as caught:
        decoded_size(data, Path("picture"))
    return caught.value.reason


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_picture_has_a_size_and_a_cut_one_has_not(kind: str) -> None:
    assert decoded_size(WHOLE[kind], Path("picture")) == (WIDTH, HEIGHT)
    assert reason(WHOLE[kind][: len(WHOLE[kind]) // 2]) == "unreadable_image"


# Below Pillow's own warning, between its warning and its error, and above both.
@pytest.mark.parametrize("side", [int(MAX_PIXELS**0.5) + 1, 10_000, 30_000, 60_000])
def test_bombs_are_refused_by_their_header(side: int) -> None:
    assert reason(bomb_bytes(side)) == "image_too_large"


@pytest.mark.parametrize(
    "data", [b"<svg/>", b"%PDF-1.4", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\0" * 64]
)
def test_other_files_are_no_pictures(data: bytes) -> None:
    assert reason(data) == "not_a_picture"


SEEDS = WHOLE | {file.name: content for file in HOSTILE_FILES if len(content := file.make()) < 20_000}


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_damaged_bytes_never_raise_anything_else(name: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[name] or b"?")
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, max(0, min(len(content), 400) - 1)))
        match data.draw(st.sampled_from(["set", "set", "cut", "insert", "repeat"])):
            case "set":
                content[place : place + 1] = bytes([data.draw(st.sampled_from((0, 1, 127, 255)) | st.integers(0, 255))])
            case "cut":
                del content[place : place + data.draw(st.integers(1, 40))]
            case "insert":
                content[place:place] = data.draw(st.binary(max_size=12))
            case "repeat":
                content[place:place] = content[place : place + data.draw(st.integers(1, 200))]
    try:
        found = decoded(bytes(content), Path("picture"))
        assert 0 < found.width * found.height <= MAX_PIXELS and 1 <= found.orientation <= 8
        assert orientation_of(bytes(content), Path("picture")) == found.orientation
    except RowRejected as rejected:
        assert rejected.reason in REASONS
        rejected.detail.encode()
