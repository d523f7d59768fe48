import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lgt_assets
from lgt_assets.errors import SettingsError
from lgt_assets.release.picture_tokens import QWEN2_5_VL_PIXELS, PixelLimits, picture_tokens, read_pixel_limits

WEIGHTS = Path(lgt_assets.__file__).parent / "embedded" / "weights"
SIDES = st.integers(1, 5000)


def tokens(width: int | None, height: int | None, limits: PixelLimits = QWEN2_5_VL_PIXELS) -> int | None:
    frame = pl.DataFrame({"width": [width], "height": [height]}, schema={"width": pl.Int64, "height": pl.Int64})
    return frame.select(picture_tokens(pl.col("width"), pl.col("height"), limits)).item()


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(1, 10**5), st.integers(0, 10**7))
@example(14, 28 * 8, 3136, 12842920)
@example(42, 70, 3136, 12842920)
@example(2000, 1500, 3136, 28 * 28 * 1280)
@example(5000, 30, 3136, 28 * 28 * 4)
def test_it_is_the_formula_of_transformers(width, height, least, more):
    resize = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl").smart_resize
    limits = PixelLimits(least, least + more)
    if max(width, height) / min(width, height) <= 200:
        rows, columns = resize(height, width, 28, limits.min_pixels, limits.max_pixels)
        assert tokens(width, height, limits) == rows * columns // 28**2


def test_pictures_as_they_are():
    assert tokens(1024, 768) == 37 * 27  # 1024/28 = 36.6, 768/28 = 27.4
    assert tokens(8, 8) == 4  # grown to 56 x 56
    assert tokens(20000, 15000) <= 16384
    assert tokens(None, None) is None


def test_limits_of_a_model(tmp_path):
    assert read_pixel_limits(tmp_path) == PixelLimits(3136, 12845056)
    assert read_pixel_limits(WEIGHTS) == PixelLimits(3136, 13000)
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps({"size": {"shortest_edge": 100, "longest_edge": 2000}}))
    assert read_pixel_limits(tmp_path) == PixelLimits(100, 2000)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"min_pixels": 5, "max_pixels": 4}', '{"min_pixels": "a"}', '{"size": 3}']
)
def test_wrong_limits_are_an_error(tmp_path, text):
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(SettingsError, match="preprocessor_config"):
        read_pixel_limits(tmp_path)
