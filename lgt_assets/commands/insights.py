"""`lgt insights`: runs the experiments cell by cell, skips what is done, and writes what they show into docs/insights.md."""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, plain, print_json

if TYPE_CHECKING:
    from lgt_assets.runs import TrainingSummary
    from lgt_assets.training.insight_cells import CellRun
    from lgt_assets.training.insight_tables import Findings
    from lgt_assets.training.recipes import Budget

BEGIN, END = "<!-- lgt insights: begin -->", "<!-- lgt insights: end -->"
SEEDS = Annotated[int, typer.Option("--seeds", min=1, max=3, help="How many seeds of each recipe.")]
QUESTIONS = Annotated[int, typer.Option("--questions", min=1, help="Questions about held-out scenes of each model.")]
OTHERS = Annotated[int, typer.Option("--out-of-domain", min=0, help="Questions of each other suite; 0: none.")]
STEPS = Annotated[int | None, typer.Option("--steps", min=1, help="Steps of SFT, the same for all recipes.")]
MINUTES = Annotated[
    float | None, typer.Option("--minutes", min=0, help="Begin no cell after so many; go on another time.")
]
REPORT = Annotated[bool, typer.Option("--report-only", help="Run nothing; write what is known.")]
INTO = Annotated[Path, typer.Option("--into", help="Page with the marker comments; the plots lie in images beside it.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def insights(
    seeds: SEEDS = 3, questions: QUESTIONS = 500, out_of_domain: OTHERS = 100, steps: STEPS = None, minutes: MINUTES = None,
    report_only: REPORT = False, into: INTO = Path("docs/insights.md"), as_json: JSON = False,
) -> None:  # fmt: skip
    """Train and score direct, simple, long, stage 1 and merged, then DPO against GRPO; say what that shows and what not."""
    from lgt_assets.commands.embedded import require_libraries
    from lgt_assets.method_tables import require_marks
    from lgt_assets.training.insight_cells import cell_runs
    from lgt_assets.training.recipes import SEEDS as ALL_SEEDS

    chosen = ALL_SEEDS[:seeds]
    require_marks(into, marks=(BEGIN, END))
    runs = list(cell_runs(chosen, questions=questions, out_of_domain=out_of_domain, steps=steps))
    done = {"run": 0, "skipped": 0, "left": 0}
    if not report_only:
        require_libraries()
        done = run_cells(runs, budgets(steps), minutes)
    found = findings()
    write(found, chosen, into)
    notices().print(plain(f"written into {into}"))
    if as_json:
        models = len({model for model, _ in found.hits})
        print_json({"release": found.release_id, "models": models, "leaks": found.leaks, "cells": done})


def budgets(steps: int | None) -> "dict[str, Budget]":
    """Each trainer's budget in the profile, with other steps of SFT where they are given."""
    from lgt_assets.settings import load_profile
    from lgt_assets.training.cells import budget_of
    from lgt_assets.training.recipes import DPO, GRPO, SFT

    learner, changes = load_profile().post_training, {"steps": steps} if steps else {}
    return {SFT: budget_of(learner, SFT, **changes), **{name: budget_of(learner, name) for name in (DPO, GRPO)}}


def run_cells(runs: "list[CellRun]", budgets: "Mapping[str, Budget]", minutes: float | None) -> dict[str, int]:
    """Run what is not done, in order, in the state folder's own Dagster instance; how many were run, skipped and left.

    Cells whose recipe and seed another process runs are left to it.

    Raises:
        SettingsError: a folder holds a training of another budget; nothing was run.
        LgtError: a cell failed.
    """
    from lgt_assets.assets.post_training import exported_latest
    from lgt_assets.instance import open_instance
    from lgt_assets.runs import train
    from lgt_assets.settings import load_profile, state_folder
    from lgt_assets.sources.files import locked_at_once
    from lgt_assets.training.cells import first_start
    from lgt_assets.training.insight_cells import cell_lock, require_budgets
    from lgt_assets.training.weights_digests import weights_digest

    release_id = exported_latest()[1]
    learner = load_profile().post_training
    start = weights_digest(first_start(learner), learner)
    require_budgets(runs, state_folder(), release_id, budgets, start)
    began, counts = time.monotonic(), {"run": 0, "skipped": 0, "left": 0}
    with open_instance() as instance:
        for number, run in enumerate(runs, start=1):
            name = f"cell {number} of {len(runs)} ({run.part}): {run.recipe}, seed {run.seed}"
            has_time = minutes is None or time.monotonic() - began < 60 * minutes
            with locked_at_once(cell_lock(state_folder(), release_id, run)) as is_ours:
                if is_ours and is_done(run, budgets):
                    outcome = "skipped"
                elif is_ours and has_time:
                    outcome = "run"
                    _run_cell(partial(train, instance), run, name)
                else:
                    outcome = "left"
            counts[outcome] += 1
    return counts


def _run_cell(train: "Callable[..., TrainingSummary]", run: "CellRun", name: str) -> None:
    from lgt_assets.commands.progress_bars import showing_progress
    from lgt_assets.runs import require_success

    began = time.monotonic()
    with showing_progress(notices()):
        summary = train(selection=",".join(run.assets), recipe=run.recipe, seed=run.seed, config=run.config)
    require_success(summary)
    notices().print(plain(f"{name}: {time.monotonic() - began:.0f} s"))


def is_done(run: "CellRun", budgets: "Mapping[str, Budget]") -> bool:
    """Whether the tables and the models' folders hold all that a run makes."""
    from lgt_assets.assets.evaluation import models_of_cell, question_counts
    from lgt_assets.assets.post_training import exported_latest
    from lgt_assets.resources import Tables
    from lgt_assets.settings import state_folder
    from lgt_assets.training import insight_cells
    from lgt_assets.training.evaluations import asked_counts
    from lgt_assets.training.insight_tables import THE_STUDENT
    from lgt_assets.training.training_runs import RECORD

    _, release_id = exported_latest()
    models = models_of_cell(state_folder(), release_id, run.recipe, run.seed)
    store = Tables().store()
    names = [(model.stage, model.recipe, model.seed) for model in models]
    scored: Mapping = {name: asked_counts(store, model) for name, model in zip(names, models, strict=True)}
    trained = {
        name: json.loads((model.weights / RECORD).read_text())
        for name, model in zip(names, models, strict=True)
        if name != THE_STUDENT
    }
    return insight_cells.is_done(run, trained, scored, question_counts(**run.config["evaluation"]), budgets)


def findings() -> "Findings":
    """What the state folder holds of the latest release's models.

    Raises:
        NotFoundError: none was scored.
    """
    from lgt_assets.assets.post_training import exported_latest
    from lgt_assets.resources import Models, Tables
    from lgt_assets.settings import state_folder
    from lgt_assets.training.insight_findings import gathered

    export, release_id = exported_latest()
    settings = Models().profile.release
    return gathered(
        Tables().store(), state_folder(), release_id, export, distance=settings.picture_distance, ngram=settings.ngram,
        share=settings.ngram_share,
    )  # fmt: skip


def write(found: "Findings", seeds: "tuple[str, ...]", into: Path) -> None:
    """The page's measured part between its markers, and its picture.

    Raises:
        SettingsError: the page lacks the markers.
    """
    from lgt_assets.charts import draw_panels
    from lgt_assets.method_tables import write_into
    from lgt_assets.training.insight_page import PICTURE, page, panels

    write_into(into, page(found, seeds), marks=(BEGIN, END))
    picture = into.parent / "images" / PICTURE
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(draw_panels(panels(found.chosen(seeds)), columns=2, size=(4.2, 2.4)))
