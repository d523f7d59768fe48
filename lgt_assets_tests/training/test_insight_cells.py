import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.errors import SettingsError
from lgt_assets.training.cells import budget_of
from lgt_assets.training.insight_cells import MAIN, TRAINERS, TRANSFER, cell_runs, is_done, require_budgets
from lgt_assets.training.insight_tables import THE_STUDENT
from lgt_assets.training.learners import CPU_STUDENT
from lgt_assets.training.recipes import RECIPES, cell_folder
from lgt_assets.training.training_runs import SETTINGS, write

COUNTS = {"held_out": 500}
BUDGETS = {trainer: budget_of(CPU_STUDENT, trainer) for trainer in ("sft", "dpo", "grpo")}


def test_the_main_table_comes_first_a_seed_at_a_time_and_every_recipe_gets_the_same() -> None:
    runs = list(cell_runs(("0", "1", "2"), questions=500, out_of_domain=100))
    parts = [part for part, _ in itertools.groupby(run.part for run in runs)]
    assert parts == [MAIN, TRAINERS, TRANSFER]
    main = [run for run in runs if run.part == MAIN]
    assert [(run.recipe, run.seed) for run in main] == [(recipe, seed) for seed in "012" for recipe in RECIPES]
    assert len({str(run.config) for run in main}) == 1
    assert all(run.config["evaluation"] == {"questions": 500, "out_of_domain": 0} for run in main)


def recorded(*models: tuple[str, str, str]) -> dict:
    return {model: {"budget": BUDGETS[model[0]].as_dict()} for model in models}


def test_both_trainers_go_on_from_one_model_with_the_profile_s_budgets_as_lgt_train_does() -> None:
    runs = [run for run in cell_runs(("0", "1"), questions=5, out_of_domain=0) if run.part == TRAINERS]
    assert len(runs) == 4 and {run.recipe for run in runs} == {"merged"}
    for run in runs:
        assert set(run.config) == {"evaluation"}
    assert not [run for run in cell_runs(("0",), questions=5, out_of_domain=0) if run.part == TRANSFER]


def test_a_run_is_done_once_its_models_and_the_student_were_asked_everything() -> None:
    run = next(cell_runs(("0",), questions=500, out_of_domain=0))
    tuned = ("sft", run.recipe, "0")
    scored = {THE_STUDENT: {"held_out": 500}, tuned: {"held_out": 500}}
    assert is_done(run, recorded(tuned), scored, COUNTS, BUDGETS)
    assert not is_done(run, recorded(), scored, COUNTS, BUDGETS)
    assert not is_done(run, recorded(tuned), scored | {tuned: {"held_out": 200}}, COUNTS, BUDGETS)
    assert not is_done(run, recorded(tuned), scored | {THE_STUDENT: {}}, COUNTS, BUDGETS)
    assert is_done(
        run, recorded(tuned), {tuned: {"held_out": 500}}, COUNTS, BUDGETS
    )  # a start on the hub is not scored
    assert not is_done(run, recorded(tuned), scored, COUNTS | {"more_objects": 100}, BUDGETS)


def test_a_run_of_a_trainer_is_not_done_by_sft_alone() -> None:
    run = next(run for run in cell_runs(("0",), questions=500, out_of_domain=0) if run.part == TRAINERS)
    tuned = ("sft", "merged", "0")
    scored = {model: {"held_out": 500} for model in (THE_STUDENT, tuned)}
    assert not is_done(run, recorded(tuned), scored, COUNTS, BUDGETS)
    dpo = ("dpo", "merged", "0")
    assert is_done(run, recorded(tuned, dpo), scored | {dpo: {"held_out": 500}}, COUNTS, BUDGETS)


def test_a_training_of_another_budget_is_not_done() -> None:
    run = next(cell_runs(("0",), questions=500, out_of_domain=0))
    tuned = ("sft", run.recipe, "0")
    scored = {model: {"held_out": 500} for model in (THE_STUDENT, tuned)}
    other = BUDGETS | {"sft": replace(BUDGETS["sft"], steps=7)}
    assert not is_done(run, recorded(tuned), scored, COUNTS, other)


def test_trainings_of_another_budget_are_all_named_before_anything_is_run(tmp_path: Path) -> None:
    runs = list(cell_runs(("0",), questions=500, out_of_domain=0))
    folders = {trainer: cell_folder(tmp_path, "r", "merged", "0", trainer) for trainer in BUDGETS}
    for trainer, folder in folders.items():
        folder.mkdir(parents=True)
        write(folder / SETTINGS, {"budget": BUDGETS[trainer].as_dict(), "start": "this"})
    require_budgets(runs, tmp_path, "r", BUDGETS, "this")
    with pytest.raises(SettingsError, match=r"sft/merged/0 \(of the model this instead of that\)\. Give") as told:
        require_budgets(runs, tmp_path, "r", BUDGETS, "that")
    assert str(folders["dpo"]) not in str(told.value)  # it starts from the other's
    for trainer in ("sft", "grpo"):
        write(folders[trainer] / SETTINGS, {"budget": replace(BUDGETS[trainer], steps=7).as_dict(), "start": "this"})
    with pytest.raises(SettingsError, match=f"steps 7.* instead of steps {BUDGETS['grpo'].steps}") as told:
        require_budgets(runs, tmp_path, "r", BUDGETS, "this")
    assert str(folders["sft"]) in str(told.value) and str(folders["dpo"]) not in str(told.value)
