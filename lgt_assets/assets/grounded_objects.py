"""Labelled boxes of the shard's pictures."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.settings import state_folder
from lgt_assets.synthesis.planned import Outcome


@shard_asset(group="sources", upstream=["images"], transform="2")
def grounded_objects(shard: Shard) -> Outcome:
    """Labelled boxes in pixels, one row each, of the pictures that `images` accepted."""
    from lgt_assets.sources.shards import shard_rows

    accepted = set(shard.read("images")["image_id"])
    rows = [row for row in shard_rows(state_folder(), shard.key)[1] if row["image_id"] in accepted]
    return Outcome(rows, asked=len(rows), parsed=len(rows))
