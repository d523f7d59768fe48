"""What the models of a cell answer, and that nothing they were asked stands in what they were trained on."""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
from pydantic import Field

from lgt_assets.assets.post_training import (
    CELLS,
    GROUP,
    POOL,
    dpo_model,
    exported_latest,
    grpo_model,
    recipe_and_seed,
    sft_model,
)
from lgt_assets.checks.evaluation import description_of, metadata_of
from lgt_assets.errors import LgtError, NotFoundError
from lgt_assets.observe.progress import observed_progress
from lgt_assets.progress import Progress, report
from lgt_assets.resources import Models, Tables
from lgt_assets.row_model import STAGES
from lgt_assets.settings import load_profile, state_folder

if TYPE_CHECKING:
    from lgt_assets.training.evaluations import ScoredModel

QUESTIONS, QUESTIONS_OUT_OF_DOMAIN = 500, 100
SHOWN_LEAKS = 10


class EvaluationConfig(dg.Config):
    """How much is asked."""

    questions: int = Field(default=QUESTIONS, gt=0, description="Questions of the suite held_out.")
    out_of_domain: int = Field(
        default=QUESTIONS_OUT_OF_DOMAIN, ge=0, description="Questions of each other suite; 0: none."
    )


@dg.asset(
    deps=["release", sft_model, dpo_model, grpo_model], partitions_def=CELLS, group_name=GROUP,
    kinds={"pytorch", "deltalake"}, owners=["team:data"], code_version="2", pool=POOL, tags={"lgt/made-by": "model"},
)  # fmt: skip
def evaluation(context: dg.AssetExecutionContext, tables: Tables, config: EvaluationConfig) -> dg.MaterializeResult:
    """What the student and each trained model of a cell answer, by suite, type and hops: rows of the table `evaluations`.

    The suites: held-out scenes; outside of what training drew from, more objects, colours and forms in all pairs, other sizes;
    and questions without choices. Prompts that the release asks are passed over. What was scored before is not asked again.
    """
    from lgt_assets.training.evaluations import evaluate

    key = str(context.partition_key)

    def progress(stage: str, suite: str, done: int, total: int) -> None:
        report(Progress("evaluation", key, f"{stage}, {suite}", done, total, sent=done, reused=0, counted="questions"))

    try:
        export, release_id = exported_latest()
        counts = question_counts(config.questions, config.out_of_domain)
        with observed_progress(context.log_event):
            rows = [
                evaluate(
                    tables.store(),
                    model,
                    export,
                    counts,
                    progress=lambda *done, stage=model.stage: progress(stage, *done),
                )
                for model in models_of_cell(state_folder(), release_id, *recipe_and_seed(context.partition_key))
            ]
    except LgtError as error:
        raise dg.Failure(f"evaluation: {error}", allow_retries=False) from error
    return dg.MaterializeResult(metadata=evaluation_metadata(pl.concat(rows)))


@dg.asset_check(asset=evaluation, partitions_def=CELLS)
def nothing_asked_was_trained_on(
    context: dg.AssetCheckExecutionContext, tables: Tables, models: Models
) -> dg.AssetCheckResult:
    """No picture that a model was asked about is in its release, by content or look, and no prompt word for word.

    The release's own rules decide (`release.picture_distance`, `release.ngram`). How many questions are worded as the release
    asks about other pictures is told beside it: the scenes' grammar is small, and this is no leak.
    """
    from lgt_assets.training.contamination import exported_questions, leaks, questions_of, recurring_wordings
    from lgt_assets.training.evaluations import asked_by

    export, release_id = exported_latest()
    cell = models_of_cell(state_folder(), release_id, *recipe_and_seed(context.partition_key))
    asked = list(dict.fromkeys(one for model in cell for one in asked_by(model.answers)))
    if not asked:
        raise NotFoundError(f"evaluation of {context.partition_key}: there are no answers: materialize it first")
    trained, settings = exported_questions(export), models.profile.release
    found = leaks(asked, trained, distance=settings.picture_distance)
    wordings = recurring_wordings(asked, trained, ngram=settings.ngram, share=settings.ngram_share)
    leaking = questions_of(found)
    said = f"{leaking} leaks among {len(asked)} questions, held against {len(trained)} of the release"
    for leak in found.head(SHOWN_LEAKS).iter_rows(named=True):
        said += f"; {leak['suite']}, question {leak['number']}: {leak['reason']} ({leak['detail']})"
    numbers = {f"wording recurs/{suite}": share for suite, share in wordings.items()}
    return dg.AssetCheckResult(
        passed=found.is_empty(), description=description_of(said),
        metadata=metadata_of(said, {"questions": len(asked), "leaks": leaking, **numbers}),
    )  # fmt: skip


def question_counts(questions: int, out_of_domain: int) -> dict[str, int]:
    """Questions by suite, of those that are asked any."""
    from lgt_assets.training.held_out import IN_DOMAIN, SUITES

    counts = {suite: questions if suite == IN_DOMAIN else out_of_domain for suite in SUITES}
    return {suite: count for suite, count in counts.items() if count}


def models_of_cell(root: Path, release_id: str, recipe: str, seed: str) -> list["ScoredModel"]:
    """What training started from, and what of a cell was trained to its end, in the order of STAGES.

    A model that the profile names by its name on the hub is scored after training alone.
    """
    from lgt_assets.training.cells import first_start
    from lgt_assets.training.evaluations import STUDENT, ScoredModel
    from lgt_assets.training.recipes import cell_folder
    from lgt_assets.training.training_runs import RECORD

    learner = load_profile().post_training
    start = first_start(learner)
    dtype = "float32" if learner.is_student else "auto"
    found = [ScoredModel(root, release_id, STUDENT, "", "", start, dtype)] if start.is_dir() else []
    for stage in STAGES[1:]:
        weights = cell_folder(root, release_id, recipe, seed, stage)
        if (weights / RECORD).is_file():
            found.append(ScoredModel(root, release_id, stage, recipe, seed, weights, dtype))
    return found


def evaluation_metadata(rows: pl.DataFrame) -> dict[str, object]:
    """A table of all rows, and the share right of each stage and suite as a number that Dagit plots."""
    from lgt_assets.markdown import table_of

    lines = [
        [
            row["stage"], row["suite"], row["type"],
            f"{row['right'] / row['n']:.3f} ({row['low']:.3f} to {row['high']:.3f})", str(row["n"]),
        ]
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    numbers = {
        f"right/{row['stage']}/{row['suite']}": row["right"] / row["n"]
        for row in rows.filter(pl.col("type") == "all").iter_rows(named=True)
    }
    table = table_of(["stage", "suite", "type", "right (95 % interval)", "of"], lines, right=(4,))
    return {"scores": dg.MetadataValue.md(table), **numbers}
