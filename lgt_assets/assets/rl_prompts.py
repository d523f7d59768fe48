"""Prompts with verifiable answers, for reinforcement learning."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.rl import build_prompts


@shard_asset(
    group="datasets", upstream=["images", "seed_questions", "composed_questions", "distilled_cots"], templates=["vlm"]
)
def rl_prompts(shard: Shard) -> Outcome:
    """Questions with a letter to verify and the VLM's pass rate as difficulty, for GRPO and other RL with rewards."""
    return build_prompts(
        shard.key, shard.questions(), shard.read("distilled_cots"), profile=shard.profile, prompts=shard.prompts
    )
