"""GRPO by TRL on an exported release's prompts, from a model that was fine-tuned on it, with the release's own rewards.

A model that was never fine-tuned on the traces gets no reward, so all of a group are alike, and nothing is learnt.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.exported_files import exported_rows, released_as, released_rewards
from lgt_assets.training.learners import CPU_STUDENT, adapter_of, loaded, processor_of
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.training_runs import Progress, method_of, run
from lgt_assets.training.weights_digests import weights_digest

GENERATIONS = 8  # of one prompt, compared with one another; the ready configurations' number
TEMPERATURE = 1.0


def reinforce(
    export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    progress: Progress = lambda *_: None, learner: PostTrainingSettings = CPU_STUDENT,
) -> dict[str, Any]:  # fmt: skip
    """Train the model in ``start`` on answers that it samples to a recipe's prompts.

    Args:
        export: of the release.
        recipe: which prompts.
        start: a fine-tuned model.
        out: of this run alone.
        budget: a step's rows are completions, GENERATIONS of each prompt.
        seed: of the prompts' order and of the samples.
        progress: told the mean reward of the step's completions.
        learner: what learns, and where.

    Raises:
        ReleaseError: the export lacks the prompts or the rewards.
        SettingsError: ``out`` holds a run with other settings.
    """
    rows = prompts_with_pictures(export, recipe)
    rewards = released_rewards(export)
    answer, layout = 1 - rewards.FORMAT_WEIGHT, rewards.FORMAT_WEIGHT
    settings = {
        "trainer": "grpo", "release": released_as(export), "config": " + ".join(recipe.prompts),
        "budget": budget.as_dict(), "seed": seed, "start": weights_digest(start, learner),
        "rows": len(rows),
        "questions": len(set(rows["question_id"])), "generations": GENERATIONS, "temperature": TEMPERATURE,
        "max_completion_length": learner.longest_reply, "reward_weights": [answer, layout],
    } | method_of(learner)  # fmt: skip

    def build(arguments: Mapping[str, Any]) -> Any:
        from trl import GRPOConfig, GRPOTrainer

        steps = arguments.get("gradient_accumulation_steps", 1)
        told = GRPOConfig(
            **arguments, num_generations=GENERATIONS, steps_per_generation=steps, temperature=TEMPERATURE,
            max_completion_length=learner.longest_reply, reward_weights=[answer, layout],
            # A cache that grows is copied at every token, which on a CPU takes longer than all else.
            cache_implementation=None if learner.devices else "static",
        )  # fmt: skip
        functions = [rewards.answer_reward, rewards.format_reward]
        return GRPOTrainer(
            loaded(start, learner, budget.frozen), functions, args=told, train_dataset=rows,
            processing_class=processor_of(start, learner, padding_side="left"), peft_config=adapter_of(learner),
        )  # fmt: skip

    return run(
        build, settings, out, budget=budget, seed=seed, watched="reward", passes=4, progress=progress, learner=learner
    )


def prompts_with_pictures(export: Path, recipe: Recipe, split: str = "train") -> Any:
    """A recipe's prompts; those without a picture are left out, as TRL 1.16's GRPO fails on a batch of both."""
    rows = exported_rows(export, recipe.prompts, split)
    return rows.select([number for number, images in enumerate(rows["image_ids"]) if images])
