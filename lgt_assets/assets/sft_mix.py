"""Supervised examples for SFT."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="datasets",
    upstream=["images", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces"],
    templates=["vlm", "direct"],
    transform="2",
)
def sft_mix(shard: Shard) -> Outcome:
    """Supervised examples by recipe: answer only, simple thought, long trace; drawn by length within the shard."""
    from lgt_assets.synthesis.mix import build_mix

    cots, traces = shard.read("distilled_cots"), shard.read("expanded_traces")
    return build_mix(shard.key, shard.questions(), cots, traces, profile=shard.profile, prompts=shard.prompts)
