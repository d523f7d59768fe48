"""Group ``post_training``: the student trained on the latest release by recipe and seed.

SFT comes first; DPO and GRPO each start from the cell's fine-tuned model.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from lgt_assets.errors import LgtError
from lgt_assets.observe.progress import observed_progress
from lgt_assets.progress import Progress, report
from lgt_assets.settings import load_profile, state_folder
from lgt_assets.training.recipes import DPO, GRPO, RECIPES, SEEDS, SFT

if TYPE_CHECKING:
    from lgt_assets.training.cells import Cell

CELLS = dg.MultiPartitionsDefinition(
    {"recipe": dg.StaticPartitionsDefinition(list(RECIPES)), "seed": dg.StaticPartitionsDefinition(list(SEEDS))}
)
GROUP = "post_training"
POOL = "gpu"  # as every asset that runs a model: on one machine one at a time, on a cluster a run for each GPU


class TrainingConfig(dg.Config):
    """Another budget than the profile's, which is equal for all recipes that are compared."""

    steps: int | None = Field(default=None, gt=0, description="Steps of the optimizer.")
    batch: int | None = Field(
        default=None, gt=0, description="Rows of a step: completions, pairs, or sampled completions, 8 a prompt."
    )


_SHARED: dict[str, Any] = {
    "partitions_def": CELLS, "group_name": GROUP, "kinds": {"pytorch", "huggingface"}, "owners": ["team:data"],
    "code_version": "1", "pool": POOL, "tags": {"lgt/made-by": "model"},
}  # fmt: skip


@dg.asset(deps=["release"], **_SHARED)
def sft_model(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult:
    """The student, fine-tuned by TRL on one recipe's rows of the latest release's export, and on nothing else.

    Every recipe gets the same optimizer steps and the same rows a step; tokens differ and are recorded. A killed run goes on from
    its last checkpoint.
    """
    return _trained(context, SFT, config)


@dg.asset(deps=["release", sft_model], **_SHARED)
def dpo_model(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult:
    """The cell's fine-tuned model, trained further by TRL's DPO on the release's preference pairs; it is the reference, too."""
    return _trained(context, DPO, config)


@dg.asset(deps=["release", sft_model], **_SHARED)
def grpo_model(context: dg.AssetExecutionContext, config: TrainingConfig) -> dg.MaterializeResult:
    """The cell's fine-tuned model, trained further by TRL's GRPO on the release's prompts, with the release's own rewards."""
    return _trained(context, GRPO, config)


def _trained(context: dg.AssetExecutionContext, trainer: str, config: TrainingConfig) -> dg.MaterializeResult:
    from lgt_assets.observe.training import training_metadata

    asset, key = f"{trainer}_model", str(context.partition_key)

    def progress(done: int, total: int, _value: float) -> None:
        report(Progress(asset, key, trainer.upper(), done, total, sent=done, reused=0, counted="steps"))

    try:
        cell = _cell_of(context)
        with observed_progress(context.log_event):
            record = cell.train(trainer, progress, **config.model_dump(exclude_none=True))
        changes = cell.changes(trainer)
    except LgtError as error:
        raise dg.Failure(f"{asset}: {error}", allow_retries=False) from error
    path = {"path": dg.MetadataValue.path(str(cell.folder(trainer)))}
    return dg.MaterializeResult(metadata=path | training_metadata(record, [change.as_dict() for change in changes]))


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


def _cell_of(context: dg.AssetExecutionContext) -> "Cell":
    """The cell of a partition, with the latest release's export.

    Raises:
        LgtError: there is no release, or it cannot be written.
    """
    from lgt_assets.training.cells import Cell

    export, release_id = exported_latest()
    return Cell(
        state_folder(), export, release_id, *recipe_and_seed(context.partition_key), load_profile().post_training
    )


def recipe_and_seed(key: dg.MultiPartitionKey) -> tuple[str, str]:
    """Of a key of CELLS."""
    keys = key.keys_by_dimension
    return keys["recipe"], keys["seed"]
