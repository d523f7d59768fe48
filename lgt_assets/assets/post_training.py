"""Group ``post_training``: the student trained on the latest release by recipe and seed, and what each model then answers."""

import time
from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import Field

from lgt_assets.errors import LgtError
from lgt_assets.settings import state_folder
from lgt_assets.training.recipes import RECIPES, SEEDS, Budget, recipe_named, seed_of

CELLS = dg.MultiPartitionsDefinition(
    {"recipe": dg.StaticPartitionsDefinition(list(RECIPES)), "seed": dg.StaticPartitionsDefinition(list(SEEDS))}
)
GROUP = "post_training"
# One cell stays below ten minutes on a core.
BUDGET = Budget(steps=60, batch=16, learning_rate=3e-4)
SECONDS_BETWEEN = 30.0
POOL = "post_training"  # one training at a time: two would only share the cores


class TrainingConfig(dg.Config):
    """The budget, equal for all recipes that are compared."""

    steps: int = Field(default=BUDGET.steps, gt=0, description="Steps of the optimizer.")
    batch: int = Field(default=BUDGET.batch, gt=0, description="Rows of a step.")


def cell_folder(root: Path, release_id: str, recipe: str, seed: str) -> Path:
    """Where the model of a cell lies."""
    return root / "models" / release_id / "sft" / recipe / seed


@dg.asset(
    deps=["release"], partitions_def=CELLS, group_name=GROUP, kinds={"pytorch", "huggingface"}, owners=["team:data"],
    code_version="1", pool=POOL, tags={"lgt/made-by": "model"},
)  # fmt: skip
def sft_model(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult:
    """The student, fine-tuned by TRL on one recipe's rows of the latest release's export, and on nothing else.

    Every recipe gets the same optimizer steps and the same rows a step; tokens differ and are recorded. A killed run goes on from
    its last checkpoint.
    """
    from lgt_assets.training.fine_tuning import fine_tune
    from lgt_assets.training.students import student_folder

    recipe, seed = _cell(context)
    told_at = time.monotonic()

    def progress(done: int, total: int, loss: float) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= SECONDS_BETWEEN:
            told_at = time.monotonic()
            context.log.info(f"{recipe}, seed {seed}: step {done} of {total}, loss {loss:.3f}")

    try:
        export, release_id = exported_latest()
        out = cell_folder(state_folder(), release_id, recipe, seed)
        record = fine_tune(
            export, recipe_named(recipe), student_folder(), out,
            budget=replace(BUDGET, steps=config.steps, batch=config.batch), seed=seed_of("sft", recipe, seed), progress=progress,
        )  # fmt: skip
    except LgtError as error:
        raise dg.Failure(f"sft_model: {error}", allow_retries=False) from error
    losses = record.pop("losses")
    shown = {name: value for name, value in record.items() if isinstance(value, str | int | float)}
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(out)), "loss/first": losses[0], "loss/last": losses[-1]} | shown
    )


def exported_latest() -> tuple[Path, str]:
    """The latest release's export in the format hf, written where it is not there yet, and the release's id.

    Raises:
        LgtError: there is no release, or it cannot be written.
    """
    from lgt_assets.delta_files import TableFolder
    from lgt_assets.release.exporting import export_release
    from lgt_assets.release.formats.registry import format_named
    from lgt_assets.release.options import Options
    from lgt_assets.release.pins import read_release
    from lgt_assets.state import tables_folder
    from lgt_assets.takedown.records import require_rebuildable

    tables = TableFolder(tables_folder())
    release = read_release(tables)
    require_rebuildable(tables, release.release_id)
    out = state_folder() / "models" / release.release_id / "export"
    if not out.is_dir():
        export_release(release, tables, out, Options(format_named("hf")))
    return out, release.release_id


def _cell(context: dg.AssetExecutionContext) -> tuple[str, str]:
    keys = context.partition_key.keys_by_dimension
    return keys["recipe"], keys["seed"]
