"""TRL's ready configurations: one for each step that has rows, each starting where the step before it ends."""

import pytest
import yaml

from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.training_steps import MODEL
from lgt_assets.release.trl_configs import FOLDER, MERGE, trl_configs

ROWS = {name: {"train": 10, "validation": 2} for name in CONFIGS}
LENGTHS = {name: 1_000 + place for place, name in enumerate(CONFIGS)}


def configs(method: str, rows: dict = ROWS) -> dict[str, dict]:
    texts = trl_configs(rows, LENGTHS)
    start = f"{FOLDER}/{method}/"
    return {
        path.removeprefix(start).removesuffix(".yaml"): yaml.safe_load(text)
        for path, text in texts.items()
        if path.startswith(start)
    }


def test_every_config_with_rows_has_one_and_is_never_cut() -> None:
    found = configs("full")
    assert set(found) == set(CONFIGS)
    for name, settings in found.items():
        length = "max_completion_length" if name.startswith("rl") else "max_length"
        assert settings[length] == LENGTHS[name]
        assert settings["dataset_name"] == f"./{name}"


@pytest.mark.parametrize(("method", "suffix"), [("full", ""), ("lora", "/merged")])
def test_a_step_starts_where_the_step_before_it_ends(method: str, suffix: str) -> None:
    found = configs(method)
    starts = {name: settings["model_name_or_path"] for name, settings in found.items()}
    assert starts["sft_stage1"] == MODEL
    for name, before in (
        ("sft_stage2_merged", "sft_stage1"),
        ("dpo_stage1", "sft_stage2_merged"),
        ("rl_stage2", "rl_stage1"),
    ):
        assert starts[name] == found[before]["output_dir"] + suffix


def test_lora_is_a_switch_with_a_rate_of_its_own() -> None:
    full, lora = configs("full"), configs("lora")
    for name in CONFIGS:
        differing = {key for key in full[name].keys() | lora[name].keys() if full[name].get(key) != lora[name].get(key)}
        assert {key for key in differing if not key.startswith("lora_")} - {"model_name_or_path"} == {
            "use_peft", "learning_rate", "output_dir",
        }  # fmt: skip
        assert lora[name]["learning_rate"] > full[name]["learning_rate"]


def test_what_has_no_rows_is_left_out() -> None:
    rows = {name: {"train": 0, "validation": 0} if name.startswith("dpo") else {"train": 3} for name in CONFIGS}
    found = configs("full", rows)
    assert not [name for name in found if name.startswith("dpo")]
    assert {settings["eval_strategy"] for settings in found.values()} == {"no"}
    assert trl_configs({}, {}) == {}


def test_the_merging_script_is_python() -> None:
    text = trl_configs(ROWS, LENGTHS)[MERGE]
    compile(text, MERGE, "exec")
    assert f"python {MERGE} outputs/lora/sft_stage1" in text
