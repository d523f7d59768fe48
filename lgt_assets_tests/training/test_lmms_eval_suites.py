import importlib.util
from pathlib import Path

import polars as pl
import pytest
import yaml

from lgt_assets.errors import SettingsError
from lgt_assets.training.held_out import IN_DOMAIN, OPEN_FORM, questions
from lgt_assets.training.lmms_eval_suites import READY, row_of, write_tasks

SUITES = {suite: questions(suite, 6) for suite in (IN_DOMAIN, OPEN_FORM)}


class Loader(yaml.SafeLoader):
    """Reads ``!function`` as the function's name."""


Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def test_every_task_names_functions_that_are_there_and_leaves_room_for_thoughts(tmp_path: Path) -> None:
    names = write_tasks(tmp_path, SUITES)
    assert names == ["lgt_held_out", "lgt_open_form", *(f"lgt_{name}" for name in READY)]
    functions = functions_of(tmp_path)
    for name in names:
        task = yaml.load((tmp_path / f"{name}.yaml").read_text(), Loader)
        assert task["task"] == name and task["reasoning_tags"] == "none"
        assert task["generation_kwargs"]["max_new_tokens"] > 16
        called = [value for value in (*task.values(), *(one.get("aggregation") for one in task["metric_list"]))
                  if isinstance(value, str) and value.startswith("functions.")]  # fmt: skip
        assert called and all(callable(getattr(functions, one.partition(".")[2])) for one in called)


def test_the_suites_scores_are_the_scorers_own(tmp_path: Path) -> None:
    write_tasks(tmp_path, SUITES)
    functions = functions_of(tmp_path)
    for suite, asked in SUITES.items():
        rows = pl.read_parquet(tmp_path / f"{suite}.parquet").to_dicts()
        for row, one in zip(rows, asked, strict=True):
            assert functions.suite_text(row) == one.example.user
            assert functions.suite_results(row, [one.example.reply]) == {"right": 1.0, "well_formed": 1.0}
            assert functions.suite_results(row, ["no answer"]) == {"right": 0.0, "well_formed": 0.0}
    assert row_of(SUITES[IN_DOMAIN][0])["verification"] == "letter"


def test_a_thought_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    write_tasks(tmp_path, {})
    functions = functions_of(tmp_path)
    assert functions.told("<think> A or B? </think><answer>(B)</answer>") == "(B)"
    assert functions.told("A") == ""
    row = {"answer": "J", "options": [f"option {letter}" for letter in "ABCDEFGHIJ"]}
    assert functions.mmlu_pro_results(row, ["<think> C? </think><answer>(J)</answer>"]) == {"exact_match": 1.0}
    assert "(J) option J" in functions.mmlu_pro_text({"question": "Which?", **row})


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(SettingsError, match="not empty"):
        write_tasks(tmp_path, SUITES)


def functions_of(folder: Path):
    place = importlib.util.spec_from_file_location("functions", folder / "functions.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module
