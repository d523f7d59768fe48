"""Long traces: simple chains of thought, continued by the reasoning model."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="reasoning",
    upstream=["images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots"],
    roles=["reasoner", "verifier"],
    templates=["consistency", "behaviours"],
    transform="2",
)
def expanded_traces(shard: Shard) -> Outcome:
    """Simple chains continued after a cue such as "Wait,"; the simple text is kept exactly, leaks and contradictions go."""
    from lgt_assets.synthesis.behaviour_judgments import apply_behaviour_judgments, plan_behaviour_judgments
    from lgt_assets.synthesis.consistency import apply_consistency, plan_consistency
    from lgt_assets.synthesis.expand import build_expansions, plan_expansions

    profile, prompts, questions = shard.profile, shard.prompts, shard.questions()
    images, objects, cots = (shard.read(table) for table in ("images", "grounded_objects", "distilled_cots"))
    planned = plan_expansions(images, objects, questions, cots, profile=profile, prompts=prompts)
    candidates = build_expansions(shard.key, shard.ask("reasoner", planned), profile=profile)
    votes = shard.ask("verifier", plan_consistency(candidates, questions, profile=profile, prompts=prompts))
    consistent = apply_consistency(candidates, votes, profile=profile)
    judgments = shard.ask("verifier", plan_behaviour_judgments(consistent, profile=profile, prompts=prompts))
    return apply_behaviour_judgments(consistent, judgments)
