"""Stage 2: seed questions of one picture, merged into harder ones."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(
    group="questions", upstream=["images", "grounded_objects", "seed_questions"], roles=["composer", "verifier", "vlm"]
)
def composed_questions(shard: Shard) -> Outcome:
    """Questions that need two or more seed questions at once.

    The verifier votes on each candidate (support, blindness, necessity); of those that pass, the VLM's samples, which
    distilled_cots would ask for anyway, say how much harder they are than their parents.
    """
    from lgt_assets.synthesis.compose import build_compositions, plan_compositions
    from lgt_assets.synthesis.hardness import apply_hardness, plan_hardness
    from lgt_assets.synthesis.verify import apply_verification, plan_verification

    images, objects, questions = rows = [
        shard.read(table) for table in ("images", "grounded_objects", "seed_questions")
    ]
    said, settings = {"profile": shard.profile, "prompts": shard.prompts}, shard.profile.compose
    written = shard.ask("composer", plan_compositions(*rows, **said))
    candidates = build_compositions(shard.key, written, settings=shard.profile.questions)
    votes = shard.ask("verifier", plan_verification(candidates, *rows, **said))
    verified = apply_verification(candidates, votes, settings=settings)
    samples = shard.ask("vlm", plan_hardness(verified, images, questions, **said))
    return apply_hardness(verified, samples, settings=settings)
