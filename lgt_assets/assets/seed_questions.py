"""Stage 1: questions about one or a few grounded objects."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome


@shard_asset(group="questions", upstream=["images", "grounded_objects"], roles=["questioner", "verifier"])
def seed_questions(shard: Shard) -> Outcome:
    """Multiple-choice questions written from caption and boxes, spread over focus objects and question types.

    The verifier votes on each: a key that it disputes, or a question that it answers blind, is rejected.
    """
    from lgt_assets.synthesis.question_checks import apply_question_checks, plan_question_checks
    from lgt_assets.synthesis.questions import build_questions, plan_questions

    rows, settings = [shard.read(table) for table in ("images", "grounded_objects")], shard.profile.questions
    planned = plan_questions(*rows, profile=shard.profile, prompts=shard.prompts)
    candidates = build_questions(shard.key, shard.ask("questioner", planned), settings=settings)
    checks = plan_question_checks(candidates, *rows, profile=shard.profile, prompts=shard.prompts)
    return apply_question_checks(candidates, shard.ask("verifier", checks), settings=settings)
