"""Pictures with their dense captions, from the source's shard file."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.settings import state_folder
from lgt_assets.synthesis.planned import Outcome


@shard_asset(group="sources", kinds=["image"], transform="2")
def images(shard: Shard) -> Outcome:
    """Pictures with dense captions, referenced where they lie. Bad rows of the source are quarantined in `rejections`."""
    from lgt_assets.sources.shards import shard_rows

    rows, _, rejections = shard_rows(state_folder(), shard.key)
    members = shard.store.read("shard_members", shards=[shard.key])
    gone = set(
        members.filter(members["removed"])["image_id"]
    )  # tombstones count also where the source's file says nothing
    rows = [row for row in rows if row["image_id"] not in gone]
    return Outcome(rows, rejections, asked=len(rows) + len(rejections), parsed=len(rows))
