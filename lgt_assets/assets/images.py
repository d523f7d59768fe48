"""Pictures with their dense captions, from the source's shard file."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import WhereBound, shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(group="sources", kinds=["image"], transform="3", where_bound=WhereBound(("captioner",), ("caption",)))
def images(shard: Shard) -> Outcome:
    """Pictures with dense captions, referenced where they lie. Bad rows of the source are quarantined in `rejections`.

    A picture without a caption is rejected too, or, where the profile allows it, gets one from the captioner, which is noted.
    """
    from lgt_assets.assets.shard_sources import rows_of_source
    from lgt_assets.synthesis.captions import build_captions, plan_captions

    (rows, _, rejections), settings = rows_of_source(shard.key), shard.profile.captions
    # Tombstones count also where the source's file says nothing.
    members = shard.store.read("shard_members", shards=[shard.key])
    gone = set(members.filter(members["removed"])["image_id"])
    rows = [row for row in rows if row["image_id"] not in gone]
    written, captioner = None, ""
    if settings.allow_generated and shard.profile.binds("captioner") and any(row["caption"] is None for row in rows):
        written = shard.ask("captioner", plan_captions(rows, profile=shard.profile, prompts=shard.prompts))
        captioner = shard.model_name("captioner")
    return build_captions(shard.key, rows, rejections, written, settings=settings, captioner=captioner)
