"""Simple chains of thought, sampled from the VLM."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="reasoning", upstream=["images", "seed_questions", "composed_questions"], roles=["vlm"], transform="2"
)
def distilled_cots(shard: Shard) -> Outcome:
    """What the VLM thinks and answers when it sees the picture: n samples of every question."""
    from lgt_assets.synthesis.distill import build_cots, plan_cots

    planned = plan_cots(shard.read("images"), shard.questions(), profile=shard.profile, prompts=shard.prompts)
    return build_cots(shard.key, shard.ask("vlm", planned), profile=shard.profile)
