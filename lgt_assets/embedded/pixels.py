"""Pictures as the processor hands them to the vision tower, made fast for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgt_assets.embedded.scenes import Scene, render

if TYPE_CHECKING:
    import numpy
    from PIL import Image

SIDE = 112
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
# 13,000 instead of 112 * 112: rounding must not make a 240 x 240 picture 84 pixels wide.
PROCESSOR = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
    "min_pixels": 3136,
    "max_pixels": 13000,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": list(MEAN),
    "image_std": list(DEVIATION),
    "resample": 3,
}


def patches(picture: Image.Image) -> numpy.ndarray:
    """Patches (64, 588) of a square RGB picture in the order of the vision tower, one frame of the processor's two."""
    import numpy
    from PIL import Image

    small = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    values = (numpy.asarray(small, numpy.float32) / 255 - numpy.float32(MEAN)) / numpy.float32(DEVIATION)
    # (channel, block row, row in block, pixel row, block column, column in block, pixel column)
    grid = values.transpose(2, 0, 1).reshape(3, 4, 2, 14, 4, 2, 14)
    return grid.transpose(1, 4, 2, 5, 0, 3, 6).reshape(64, 3 * 14 * 14)


def scene_patches(scenes: list[Scene]) -> numpy.ndarray:
    """Patches (scenes, 64, 588) of rendered scenes."""
    import numpy

    return numpy.stack([patches(render(scene)) for scene in scenes])
