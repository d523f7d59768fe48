"""Which steps a release is trained in, and from what each starts."""

import pytest

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.training_steps import training_steps

BOTH = {"train": 9, "validation": 1}


def chain(*without: str, train_only: tuple[str, ...] = ()) -> dict[str, str | None]:
    rows = {name: BOTH for name in CONFIGS if name not in without} | {name: {"train": 9} for name in train_only}
    return {step.config: step.after.config if step.after else None for step in training_steps(rows)}


def test_every_config_is_a_step_and_starts_from_sft() -> None:
    assert chain() == {
        "sft_stage1": None, "sft_stage2": "sft_stage1", "sft_stage2_merged": "sft_stage1", "dpo_stage1": "sft_stage2_merged",
        "dpo_stage2": "dpo_stage1", "rl_stage1": "sft_stage2_merged", "rl_stage2": "rl_stage1",
    }  # fmt: skip


def test_a_step_after_one_without_rows_starts_from_the_step_before() -> None:
    assert chain("dpo_stage1", "rl_stage1")["dpo_stage2"] == "sft_stage2_merged"
    assert chain("sft_stage1", "sft_stage2", "sft_stage2_merged")["dpo_stage1"] is None


def test_without_stage_2_the_merged_config_is_stage_1_again_and_no_step() -> None:
    assert "sft_stage2_merged" not in chain("sft_stage2")
    assert chain("sft_stage2")["dpo_stage1"] == "sft_stage1"


@pytest.mark.parametrize("rows", [{}, {"sft_stage1": {}}, {"sft_stage1": {"train": 0, "validation": 3}}])
def test_without_train_rows_there_is_no_step(rows: dict) -> None:
    assert training_steps(rows) == []


def test_a_step_knows_whether_it_can_be_validated() -> None:
    (alone,) = training_steps({"sft_stage1": {"train": 9}})
    (validated,) = training_steps({"sft_stage1": BOTH})
    assert (alone.validated, validated.validated) == (False, True)


def test_lora_learns_faster_than_all_weights_and_preferences_slower_than_answers() -> None:
    for step in training_steps(dict.fromkeys(CONFIGS, BOTH)):
        assert step.learning_rate("lora") > step.learning_rate("full")
        assert step.task == "sft" or step.learning_rate("full") < 1e-5
