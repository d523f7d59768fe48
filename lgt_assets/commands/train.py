"""`lgt train`: one cell of post-training without Dagit, with what each trainer's own objective was before and after."""

from typing import Annotated

import typer

from lgt_assets.commands.console import output, plain, print_json, table_of

RECIPE = Annotated[str, typer.Option("--recipe", help="What the model is fine-tuned on: direct, simple, long, …")]
SEED = Annotated[str, typer.Option("--seed", help="One of the seeds: 0, 1, 2.")]
SELECT = Annotated[str, typer.Option("--select", help="Assets of the group post_training, joined by commas.")]
STEPS = Annotated[int | None, typer.Option("--steps", min=1, help="Steps of each trainer instead of its own number.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
COLUMNS = {
    "asset": "left", "objective": "left", "before": "right", "after": "right", "difference (95 % interval)": "right",
    "rows": "right", "tokens": "right", "seconds": "right",
}  # fmt: skip


def train(
    recipe: RECIPE = "merged", seed: SEED = "0", select: SELECT = "sft_model,dpo_model,grpo_model",
    steps: STEPS = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Train the student on the latest release by SFT, then by DPO and by GRPO; a killed run goes on from its last checkpoint."""
    from lgt_assets import runs
    from lgt_assets.commands.embedded import require_libraries, showing
    from lgt_assets.instance import open_instance
    from lgt_assets.progress import listening

    require_libraries()
    with open_instance() as instance, showing("training") as move:
        with listening(lambda step: move(step.done, step.total, step.asset)):
            summary = runs.train(instance, selection=select, recipe=recipe, seed=seed, steps=steps)
    if as_json:
        print_json({"recipe": recipe, "seed": seed, "models": summary.told})
    else:
        output().print(plain(f"recipe {recipe}, seed {seed}; validation rows of the release"))
        output().print(table_of(COLUMNS, [line for name, told in summary.told.items() for line in lines(name, told)]))
    runs.require_success(summary)


def lines(name: str, told: dict) -> list[tuple[str, ...]]:
    """A line for each number that a trainer is to improve."""
    return [
        (
            name, change["objective"], f"{change['before']:.3f}", f"{change['after']:.3f}",
            f"{change['difference']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f})", str(change["rows"]),
            f"{told['tokens']:,}", f"{told['seconds']:.0f}",
        )
        for change in told.get("changes", [])
    ]  # fmt: skip
