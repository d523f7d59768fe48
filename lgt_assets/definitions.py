"""Assembly of the code location that Dagster loads; nothing else."""

import dagster as dg

from lgt_assets.assets.composed_questions import composed_questions
from lgt_assets.assets.distilled_cots import distilled_cots
from lgt_assets.assets.evaluation import evaluation, nothing_asked_was_trained_on
from lgt_assets.assets.expanded_traces import expanded_traces
from lgt_assets.assets.grounded_objects import grounded_objects
from lgt_assets.assets.images import images
from lgt_assets.assets.maintenance import maintenance, nightly_maintenance
from lgt_assets.assets.post_training import dpo_model, grpo_model, sft_model
from lgt_assets.assets.preference_pairs import preference_pairs
from lgt_assets.assets.registration import register_source
from lgt_assets.assets.release import release
from lgt_assets.assets.rl_prompts import rl_prompts
from lgt_assets.assets.seed_questions import seed_questions
from lgt_assets.assets.sft_mix import sft_mix
from lgt_assets.automation import AUTOMATION
from lgt_assets.checks import CHECKS
from lgt_assets.resources import Models, Tables
from lgt_assets.sensors import new_shards

ASSETS = [
    images, grounded_objects, seed_questions, composed_questions, distilled_cots, expanded_traces, preference_pairs,
    sft_mix, rl_prompts, release,
]  # fmt: skip
# Partitioned by recipe and seed instead of by shard, so no run holds both.
POST_TRAINING = [sft_model, dpo_model, grpo_model, evaluation]
post_training = dg.define_asset_job(
    "post_training",
    POST_TRAINING,
    description="Train the student on the latest release by each trainer, and evaluate it.",
)

defs = dg.Definitions(
    assets=[*ASSETS, *POST_TRAINING],
    asset_checks=[*CHECKS, nothing_asked_was_trained_on],
    jobs=[register_source, maintenance, post_training],
    schedules=[nightly_maintenance],
    sensors=[new_shards, AUTOMATION],
    resources={"tables": Tables(), "models": Models()},
    # Steps of one run share the loaded models; shards are spread over runs, not over steps.
    executor=dg.in_process_executor,
)
