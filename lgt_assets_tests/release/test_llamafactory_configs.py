"""What the ready configs of LLaMA-Factory say; LLaMA-Factory itself reads them in lgt_assets_tests/trainers/llamafactory."""

import json

import yaml

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.llamafactory_configs import DEEPSPEED, llamafactory_configs

ROWS = {name: {"train": 9, "validation": 1} for name in CONFIGS}
LENGTHS = {name: 1_000 + number for number, name in enumerate(CONFIGS)}
TRAINED = [name for name, config in CONFIGS.items() if config.task in ("sft", "dpo")]


def read(texts: dict[str, str], method: str, config: str) -> dict:
    return yaml.safe_load(texts[f"configs/{method}/{config}.yaml"])


def test_sft_and_dpo_have_a_config_each_in_full_and_by_lora() -> None:
    expected = {f"configs/{method}/{name}.yaml" for method in ("full", "lora") for name in TRAINED}
    assert set(llamafactory_configs(ROWS, LENGTHS)) == expected | {DEEPSPEED}


def test_rows_are_cut_at_the_configs_own_longest_and_pictures_at_what_was_counted() -> None:
    texts = llamafactory_configs(ROWS, LENGTHS, image_max_pixels=50_000)
    for name in TRAINED:
        settings = read(texts, "lora", name)
        assert (settings["cutoff_len"], settings["image_max_pixels"]) == (LENGTHS[name], 50_000)


def test_lora_merges_all_adapters_before_it_in_their_order() -> None:
    settings = read(llamafactory_configs(ROWS, LENGTHS), "lora", "dpo_stage2")
    steps = ("sft_stage1", "sft_stage2_merged", "dpo_stage1")
    assert settings["adapter_name_or_path"] == ",".join(f"outputs/lora/{step}" for step in steps)
    assert settings["create_new_adapter"]


def test_without_validation_rows_nothing_is_evaluated() -> None:
    settings = read(llamafactory_configs({"sft_stage1": {"train": 9}}, LENGTHS), "full", "sft_stage1")
    assert not {"eval_dataset", "eval_strategy", "eval_steps"} & set(settings)


def test_a_release_without_sft_and_dpo_has_no_configs() -> None:
    assert llamafactory_configs({"rl_stage1": {"train": 9}}, LENGTHS) == {}


def test_weights_are_spread_where_all_are_trained() -> None:
    texts = llamafactory_configs(ROWS, LENGTHS)
    assert json.loads(texts[DEEPSPEED])["zero_optimization"]["stage"] == 3
    assert read(texts, "full", "sft_stage1")["deepspeed"] == DEEPSPEED
    assert "deepspeed" not in read(texts, "lora", "sft_stage1")
    assert texts["configs/full/sft_stage1.yaml"].startswith(
        "# FORCE_TORCHRUN=1 llamafactory-cli train configs/full/sft"
    )
