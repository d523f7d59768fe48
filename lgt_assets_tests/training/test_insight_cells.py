import itertools

from lgt_assets.training.insight_cells import MAIN, STEPS_AFTERWARDS, TRAINERS, TRANSFER, cell_runs, is_done
from lgt_assets.training.insight_tables import THE_STUDENT
from lgt_assets.training.recipes import RECIPES

COUNTS = {"held_out": 500}


def test_a_seed_is_complete_before_the_next_and_every_recipe_gets_the_same() -> None:
    runs = list(cell_runs(("0", "1", "2"), questions=500, out_of_domain=100))
    parts = [part for part, _ in itertools.groupby(run.part for run in runs)]
    assert parts == [*[MAIN, TRAINERS] * 3, TRANSFER]
    main = [run for run in runs if run.part == MAIN]
    assert [(run.recipe, run.seed) for run in main] == [(recipe, seed) for seed in "012" for recipe in RECIPES]
    assert len({str(run.config) for run in main}) == 1
    assert all(run.config["evaluation"] == {"questions": 500, "out_of_domain": 0} for run in main)


def test_both_trainers_go_on_from_one_model_with_steps_of_their_own() -> None:
    runs = [run for run in cell_runs(("0", "1"), questions=5, out_of_domain=0) if run.part == TRAINERS]
    assert len(runs) == 4 and {run.recipe for run in runs} == {"merged"}
    for run in runs:
        trainer = run.assets[0].removesuffix("_model")
        assert run.config[run.assets[0]] == {"steps": STEPS_AFTERWARDS[trainer]}
    assert not [run for run in cell_runs(("0",), questions=5, out_of_domain=0) if run.part == TRANSFER]


def test_a_run_is_done_once_its_models_and_the_student_were_asked_everything() -> None:
    run = next(cell_runs(("0",), questions=500, out_of_domain=0))
    tuned = ("sft", run.recipe, "0")
    scored = {THE_STUDENT: {"held_out": 500}, tuned: {"held_out": 500}}
    assert is_done(run, [tuned], scored, COUNTS)
    assert not is_done(run, [], scored, COUNTS)
    assert not is_done(run, [tuned], scored | {tuned: {"held_out": 200}}, COUNTS)
    assert not is_done(run, [tuned], {tuned: {"held_out": 500}}, COUNTS)
    assert not is_done(run, [tuned], scored, COUNTS | {"more_objects": 100})


def test_a_run_of_a_trainer_is_not_done_by_sft_alone() -> None:
    run = next(run for run in cell_runs(("0",), questions=500, out_of_domain=0) if run.part == TRAINERS)
    tuned = ("sft", "merged", "0")
    scored = {model: {"held_out": 500} for model in (THE_STUDENT, tuned)}
    assert not is_done(run, [tuned], scored, COUNTS)
    dpo = ("dpo", "merged", "0")
    assert is_done(run, [tuned, dpo], scored | {dpo: {"held_out": 500}}, COUNTS)
