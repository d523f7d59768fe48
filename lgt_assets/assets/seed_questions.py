"""Stage 1: questions about one or a few grounded objects."""

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.shard_asset import shard_asset
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.synthesis.questions import build_questions, plan_questions


@shard_asset(group="questions", upstream=["images", "grounded_objects"], roles=["questioner"])
def seed_questions(shard: Shard) -> Outcome:
    """Multiple-choice questions written from caption and boxes, spread over focus objects and question types."""
    images, objects = shard.read("images"), shard.read("grounded_objects")
    planned = plan_questions(images, objects, profile=shard.profile, prompts=shard.prompts)
    return build_questions(shard.key, shard.ask("questioner", planned))
