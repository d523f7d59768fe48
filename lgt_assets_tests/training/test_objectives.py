import math
from pathlib import Path

import pytest

from lgt_assets.embedded.speaker import Speaker
from lgt_assets.errors import SettingsError
from lgt_assets.training.cells import Cell
from lgt_assets.training.exported_files import exported_rows, released_rewards
from lgt_assets.training.objectives import (
    Change,
    completion_scores,
    fine_tuning_change,
    preference_change,
    preferred,
    reinforcement_change,
)
from lgt_assets.training.recipes import Recipe
from lgt_assets.training.reinforcement import TEMPERATURE, prompts_with_pictures
from lgt_assets.training.students import student_folder

LONG = Recipe("sft_stage2_merged", ("long",))


def test_a_change_is_of_the_same_rows_and_has_an_interval() -> None:
    told = Change("x", [1.0, 2.0, 3.0], [2.0, 2.0, 5.0]).as_dict()
    assert (told["before"], told["after"], told["difference"], told["rows"]) == (2.0, 3.0, 1.0, 3)
    assert told["high"] - 1.0 == pytest.approx(1.96 / math.sqrt(3))
    with pytest.raises(ValueError, match="zip"):
        Change("x", [1.0], [1.0, 2.0]).as_dict()


@pytest.mark.slow
def test_a_model_that_was_not_trained_has_not_changed(export: Path) -> None:
    student = student_folder()
    (loss,) = (change.as_dict() for change in fine_tuning_change(export, LONG, student, student))
    assert loss["difference"] == 0 and 0 < loss["before"] < 20
    pairs = [change.as_dict() for change in preference_change(export, LONG, student, student)]
    assert [change["difference"] for change in pairs[:2]] == pytest.approx([0, 0], abs=1e-6)
    assert pairs[2]["after"] == 0.5  # no margin is a tie, and no pair that was lost
    assert {change["rows"] for change in pairs} == {len(exported_rows(export, LONG.preferences, "validation"))}


@pytest.mark.slow
def test_a_completion_s_score_is_that_of_its_own_tokens_alone(export: Path) -> None:
    rows = exported_rows(export, ["sft_stage2_merged"], "validation").select(range(2))
    together = completion_scores(student_folder(), rows)
    alone = [completion_scores(student_folder(), rows.select([number]))[0] for number in range(2)]
    assert [count for _, count in together] == [count for _, count in alone]
    assert [score for score, _ in together] == pytest.approx([score for score, _ in alone], rel=1e-3)


def test_a_pair_that_is_neither_won_nor_lost_is_half_a_pair() -> None:
    assert [preferred(margin) for margin in (0.1, 0.0, -0.1)] == [1.0, 0.5, 0.0]


@pytest.mark.slow
def test_rewards_are_the_export_s_own_by_weight_and_their_mean_is_each_prompt_s(rewarding: Path) -> None:
    rewards = released_rewards(rewarding)
    assert Path(rewards.__file__) == rewarding / "rewards.py"
    (change,) = reinforcement_change(rewarding, LONG, student_folder(), student_folder(), samples=2, longest_reply=8)
    assert change.before == change.after and len(set(change.before)) > 1
    rows = prompts_with_pictures(rewarding, LONG, "validation")
    texts = [prompt[0]["content"] for prompt in rows["prompt"]]
    pictures = [images[0].convert("RGB") for images in rows["images"]]
    said = Speaker(student_folder(), 1, longest_reply=8).replies(texts * 2, pictures * 2, temperature=TEMPERATURE)
    one_by_one = [
        0.75 * answer + 0.25 * layout
        for answer, layout in zip(rewards.answer_reward(said, prompts=said), rewards.format_reward(said), strict=True)
    ]
    means = [(one_by_one[number] + one_by_one[number + len(texts)]) / 2 for number in range(len(texts))]
    assert change.before == pytest.approx(means)


def test_what_follows_fine_tuning_asks_for_it(tmp_path: Path) -> None:
    cell = Cell(tmp_path, tmp_path, "r", "merged", "0")
    assert cell.start("sft") == student_folder()
    with pytest.raises(SettingsError, match="materialize sft_model"):
        cell.start("dpo")
