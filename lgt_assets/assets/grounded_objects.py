"""Labelled boxes of the shard's pictures."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import WhereBound, shard_asset
from lgt_assets.synthesis.planned import Outcome

DETECTING = WhereBound(("questioner", "detector"), ("phrases",))


@shard_asset(group="sources", upstream=["images"], transform="3", where_bound=DETECTING)
def grounded_objects(shard: Shard) -> Outcome:
    """Labelled boxes in pixels, one row each, of the pictures that `images` accepted.

    A picture without boxes gets those that the detector finds for phrases of its caption, where the profile binds one.
    """
    from lgt_assets.assets.shard_sources import rows_of_source
    from lgt_assets.synthesis.detected_objects import build_objects, count_boxes, plan_detections, without_boxes
    from lgt_assets.synthesis.phrases import build_phrases, plan_phrases

    images, settings = shard.read("images"), shard.profile.detect
    accepted = set(images["image_id"])
    given = [row for row in rows_of_source(shard.key)[1] if row["image_id"] in accepted]
    outcome, bare = Outcome(asked=len(given), parsed=len(given)), without_boxes(images, given)
    may_detect, found, detector = shard.profile.binds(*DETECTING.roles), iter(()), ""
    if may_detect and bare:
        listed = shard.ask("questioner", plan_phrases(bare, profile=shard.profile, prompts=shard.prompts))
        phrases = build_phrases(shard.key, listed, outcome, settings=settings)
        found = shard.ask("detector", plan_detections(bare, phrases, settings=settings))
        detector = shard.model_name("detector")
    build_objects(shard.key, images, given, found, outcome, settings=settings, detector=detector)
    return count_boxes(outcome, images, may_detect=may_detect)
