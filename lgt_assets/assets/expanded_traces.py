"""Long traces: simple chains of thought, continued by the reasoning model."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.expand import build_expansions, plan_expansions
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="reasoning",
    upstream=["images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots"],
    roles=["reasoner"],
)
def expanded_traces(shard: Shard) -> Outcome:
    """Simple chains continued after a cue such as "Wait,"; the simple text is kept exactly, leaks are rejected."""
    images, objects, cots = (shard.read(table) for table in ("images", "grounded_objects", "distilled_cots"))
    planned = plan_expansions(images, objects, shard.questions(), cots, profile=shard.profile, prompts=shard.prompts)
    return build_expansions(shard.key, shard.ask("reasoner", planned), profile=shard.profile)
