import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import CONSTANT, SGD
from lgt_assets.training.recipes import RECIPES, Budget, Recipe, recipe_named, seed_of, selected

KINDS = ("direct", "simple", "long")
ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(KINDS)), max_size=30)


@given(ROWS)
def test_recipes_that_are_compared_ask_the_same_questions(rows: list[tuple[str, str]]) -> None:
    questions, kinds = [row[0] for row in rows], [row[1] for row in rows]
    asked = []
    for name in KINDS:
        chosen = selected(RECIPES[name], questions, kinds)
        assert {kinds[number] for number in chosen} <= {name}
        asked.append({questions[number] for number in chosen})
    assert asked[0] == asked[1] == asked[2]


def test_a_recipe_of_thoughts_takes_every_thought_and_no_bare_answer() -> None:
    assert selected(Recipe("any", ("simple", "long")), ["a", "a", "b"], ["direct", "long", "simple"]) == [1, 2]


def test_seeds_differ_by_cell_and_never_by_run() -> None:
    seeds = {seed_of("sft", recipe, seed) for recipe in RECIPES for seed in "012"}
    assert len(seeds) == 15 and all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of("sft", "long", "0") == seed_of("sft", "long", "0") != seed_of("dpo", "long", "0")


def test_an_unknown_recipe_is_named_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="'longer'; there are direct, simple, long, stage_1, merged"):
        recipe_named("longer")


def test_a_budget_tells_its_optimizer_where_it_is_not_the_usual_one() -> None:
    assert Budget(2, 8, 1e-3).as_dict() == {"steps": 2, "batch": 8, "learning_rate": 1e-3, "save_every": 20}
    told = Budget(2, 8, 0.6, optimizer=SGD, schedule=CONSTANT, frozen=("visual",)).as_dict()
    assert told == json.loads(json.dumps(told))
    assert (told["optimizer"], told["schedule"], told["frozen"]) == ("sgd", "constant", ["visual"])
