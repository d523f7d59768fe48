"""`lgt demo`: a whole dataset from rendered scenes, made by the embedded model."""

import os
from typing import Annotated

import typer

from lgt_assets.commands.console import notices
from lgt_assets.commands.run import JSON, materialize

SOURCE = "scenes"
SHARD_SIZE = 32
PROFILE = "embedded"
IMAGES = Annotated[int, typer.Option("--images", min=1, help="Scenes; 32 make a shard.")]


def demo(images: IMAGES = 96, as_json: JSON = False) -> None:
    """Add rendered scenes and materialize every asset with the embedded model. Again: no request is sent twice."""
    from lgt_assets.assets.registration import register
    from lgt_assets.instance import open_instance
    from lgt_assets.resources import Tables

    os.environ["LGT_PROFILE"] = PROFILE
    with open_instance() as instance:
        options = {"count": images, "seed": 0}
        addition = register(instance, Tables().store(), SOURCE, "scenes", options, shard_size=SHARD_SIZE)
    notices().print(f"source {SOURCE}: {addition.images_added} scenes added, {addition.images_known} known already")
    materialize(None, f"{SOURCE}-[0-9]*", as_json=as_json)
    if not as_json:
        notices().print("\nLook at it: make dagit (lgt dagit); follow one row: lgt show ID")
