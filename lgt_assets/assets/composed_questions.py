"""Stage 2: seed questions of one picture, merged into harder ones."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.compose import apply_verification, build_compositions, plan_compositions, plan_verification
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="questions", upstream=["images", "grounded_objects", "seed_questions"], roles=["composer", "verifier"]
)
def composed_questions(shard: Shard) -> Outcome:
    """Questions that need two or more seed questions at once; each candidate is voted on by the verifier."""
    rows = [shard.read(table) for table in ("images", "grounded_objects", "seed_questions")]
    planned = plan_compositions(*rows, profile=shard.profile, prompts=shard.prompts)
    candidates = build_compositions(shard.key, shard.ask("composer", planned))
    checks = plan_verification(candidates, *rows, profile=shard.profile, prompts=shard.prompts)
    return apply_verification(candidates, shard.ask("verifier", checks), profile=shard.profile)
