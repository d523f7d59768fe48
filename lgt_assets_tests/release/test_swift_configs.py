"""What the ready configs of ms-swift say; ms-swift itself reads them in lgt_assets_tests/trainers/swift."""

import ast

import yaml

from lgt_assets.release.card_loading import loading
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.swift_configs import PLUGIN, swift_configs
from lgt_assets.release.writing import Written

ROWS = {name: {"train": 9, "validation": 1} for name in CONFIGS}
LENGTHS = {name: 1_000 + number for number, name in enumerate(CONFIGS)}


def read(texts: dict[str, str], method: str, config: str) -> dict:
    return yaml.safe_load(texts[f"configs/{method}/{config}.yaml"])


def test_every_config_has_one_in_full_and_by_lora() -> None:
    expected = {f"configs/{method}/{name}.yaml" for method in ("full", "lora") for name in CONFIGS}
    assert set(swift_configs(ROWS, LENGTHS)) == expected | {PLUGIN}


def test_no_row_is_cut_or_deleted() -> None:
    texts = swift_configs(ROWS, LENGTHS, image_max_pixels=50_000)
    for name, config in CONFIGS.items():
        settings = read(texts, "lora", name)
        assert settings["strict"] and settings["ENV"] == {"MAX_PIXELS": 50_000}
        length = "max_completion_length" if config.task == "rl" else "max_length"
        assert settings[length] == LENGTHS[name]
        assert "max_length" in settings or config.task == "rl"


def test_lora_is_compared_with_the_model_as_the_step_before_left_it() -> None:
    texts = swift_configs(ROWS, LENGTHS)
    dpo, grpo, sft = (read(texts, "lora", name) for name in ("dpo_stage1", "rl_stage1", "sft_stage2_merged"))
    assert (
        dpo["adapters"]
        == dpo["ref_adapters"]
        == grpo["ref_adapters"]
        == ["outputs/lora/sft_stage2_merged/last-checkpoint"]
    )
    assert sft["adapters"] == ["outputs/lora/sft_stage1/last-checkpoint"] and "ref_adapters" not in sft


def test_the_plugin_is_there_where_grpo_is_and_names_the_rewards_that_it_asks_for() -> None:
    assert PLUGIN not in swift_configs({"sft_stage1": {"train": 9}}, LENGTHS)
    texts = swift_configs(ROWS, LENGTHS)
    settings = read(texts, "full", "rl_stage1")
    assert settings["external_plugins"] == [PLUGIN]
    assert len(settings["reward_weights"]) == len(settings["reward_funcs"])
    registered = [node for node in ast.walk(ast.parse(texts[PLUGIN])) if isinstance(node, ast.Subscript)]
    assert {node.slice.value for node in registered} == set(settings["reward_funcs"])


def test_without_validation_rows_nothing_is_evaluated() -> None:
    settings = read(swift_configs({"sft_stage1": {"train": 9}}, LENGTHS), "full", "sft_stage1")
    assert settings["eval_strategy"] == "no" and "val_dataset" not in settings


def test_the_card_shows_the_command_of_a_config_that_is_there() -> None:
    texts = swift_configs(ROWS, LENGTHS)
    written = [Written("sft_stage1", "train", 9, "", ("sft_stage1_train.jsonl",), 1, {})]
    told = loading("swift", written, sorted(texts), {})
    assert "swift sft configs/lora/sft_stage1.yaml" in told
    assert "swift sft configs/lora/sft_stage1.yaml" in texts["configs/lora/sft_stage1.yaml"]
    without_sft = loading("swift", written, ["configs/lora/dpo_stage1.yaml"], {})
    assert "`configs/lora/` (1)" in without_sft and "swift sft configs" not in without_sft
