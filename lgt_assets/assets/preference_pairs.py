"""Preference pairs for DPO."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="datasets",
    upstream=["images", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces"],
    templates=["vlm"],
    transform="2",
)
def preference_pairs(shard: Shard) -> Outcome:
    """Two traces of one question as shown, one preferred: the five kinds of LongPerceptualThoughts, for DPO."""
    from lgt_assets.synthesis.pair import build_pairs

    cots, traces = shard.read("distilled_cots"), shard.read("expanded_traces")
    return build_pairs(shard.key, shard.questions(), cots, traces, profile=shard.profile, prompts=shard.prompts)
