"""How many tokens Qwen2.5-VL makes of a picture: one for each 28 x 28 block of the picture as it is resized.

The formula is ``smart_resize`` of transformers' Qwen2-VL image processor, which Qwen2.5-VL shares.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.errors import SettingsError

BLOCK = 28  # pixels: two patches of 14 a side are merged to a token
SETTINGS_FILE = "preprocessor_config.json"


@dataclass(frozen=True)
class PixelLimits:
    """Pixels (width times height) between which a picture is resized; the defaults are those of Qwen2.5-VL's checkpoints."""

    min_pixels: int = 56 * 56
    max_pixels: int = 12845056


QWEN2_5_VL_PIXELS = PixelLimits()


def picture_tokens(width: pl.Expr, height: pl.Expr, limits: PixelLimits = QWEN2_5_VL_PIXELS) -> pl.Expr:
    """Tokens of a picture of so many pixels, without those that mark where it begins and ends; null for null."""
    width, height = width.cast(pl.Float64), height.cast(pl.Float64)
    # polars rounds halves to even, as Python does.
    columns, rows = ((side / BLOCK).round(0) for side in (width, height))
    blocks = columns * rows
    shrink = (width * height / limits.max_pixels).sqrt()
    grow = (limits.min_pixels / (width * height)).sqrt()
    shrunk = _product((side / shrink / BLOCK).floor().clip(lower_bound=1) for side in (width, height))
    grown = _product((side * grow / BLOCK).ceil() for side in (width, height))
    area = blocks * BLOCK**2
    tokens = pl.when(area > limits.max_pixels).then(shrunk).when(area < limits.min_pixels).then(grown).otherwise(blocks)
    return tokens.cast(pl.Int64)


def _product(sides) -> pl.Expr:
    first, second = sides
    return first * second


def read_pixel_limits(folder: Path) -> PixelLimits:
    """The limits that a model's folder gives in ``preprocessor_config.json``; Qwen2.5-VL's where there is no such file.

    Raises:
        SettingsError: the file is no JSON object, or its limits are no positive numbers.
    """
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return QWEN2_5_VL_PIXELS
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        size = told.get("size") or {}
        known = QWEN2_5_VL_PIXELS
        limits = PixelLimits(
            told.get("min_pixels") or size.get("shortest_edge") or known.min_pixels,
            told.get("max_pixels") or size.get("longest_edge") or known.max_pixels,
        )
        if not 0 < limits.min_pixels <= limits.max_pixels:
            raise ValueError(f"min_pixels is {limits.min_pixels} and max_pixels {limits.max_pixels}")
    except (ValueError, AttributeError, TypeError, OSError) as error:
        raise SettingsError(f"release.tokenizer: {path}: {error}; it must give min_pixels and max_pixels") from error
    return limits
