"""The truth about written questions on rendered scenes: each scene is drawn again from the seed that its picture names."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import polars as pl

from lgt_assets.embedded.grammar import NotAskable, true_key
from lgt_assets.embedded.scenes import Scene, generate_scene
from lgt_assets.sources.scenes import scene_seed

RENDERED = "rendered"


def scene_judge(images: pl.DataFrame) -> Callable[[Mapping], bool | None]:
    """A judge for :func:`lgt_assets.synthesis.key_accuracy.key_accuracy`, over rows of ``images``.

    It says whether the key of a candidate (image_id, question, choices, answer_index) is true in its scene; None for
    pictures that are no rendered scenes, for unknown ones, and for questions that the grammar cannot read or that have
    no single answer there.
    """
    rendered = images.filter(pl.col("caption_source") == RENDERED, pl.col("external_id").str.contains(r"^\d+-\d+$"))
    external = dict(rendered.select("image_id", "external_id").iter_rows())

    @lru_cache(maxsize=256)
    def scene(image_id: str) -> Scene:
        seed, index = external[image_id].split("-")
        return generate_scene(scene_seed(int(seed), int(index)))

    def judge(candidate: Mapping) -> bool | None:
        if candidate["image_id"] not in external:
            return None
        try:
            return true_key(
                candidate["question"], candidate["choices"], candidate["answer_index"], scene(candidate["image_id"])
            )
        except NotAskable:
            return None

    return judge
