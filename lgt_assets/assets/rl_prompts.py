"""Prompts with verifiable answers, for reinforcement learning."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="datasets", upstream=["images", "seed_questions", "composed_questions", "distilled_cots"],
    templates=["vlm", "open"], transform="2",
)  # fmt: skip
def rl_prompts(shard: Shard) -> Outcome:
    """Questions with a verifiable answer, with choices and where they stand without, and the VLM's pass rate, for GRPO."""
    from lgt_assets.synthesis.rl import build_prompts

    return build_prompts(
        shard.key, shard.questions(), shard.read("distilled_cots"), profile=shard.profile, prompts=shard.prompts
    )
