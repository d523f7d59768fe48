"""The release's own configurations, run by TRL's own command line: no key is unknown, and each trains a step on its rows."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from lgt_assets_tests.trainers.released_rows import CONFIGS
from lgt_assets_tests.trainers.trl.conftest import CONFIGURATIONS

pytest.importorskip("trl")
COMMANDS = {"sft": "sft", "dpo": "dpo", "rl": "grpo"}
METHODS = ("full", "lora")
NAMES = [(task, config) for task, configs in CONFIGS.items() for config in configs]
# What differs on a CPU with the small model: nothing that says which rows are read, how, and what is learnt from them.
ON_A_CPU = {
    "use_cpu": True, "bf16": False, "dtype": "float32", "eval_strategy": "no", "max_steps": 1, "warmup_steps": 0,
    "gradient_accumulation_steps": 1, "per_device_train_batch_size": 2, "per_device_eval_batch_size": 2, "save_strategy": "steps",
    "save_steps": 1, "logging_steps": 1, "report_to": "none", "learning_rate": 1e-3,
}  # fmt: skip
FEW_TOKENS = {"num_generations": 2, "max_completion_length": 16}


def parsed(task: str, path: Path, changes: dict[str, Any] | None = None) -> tuple:
    """What the command makes of a file; an unknown key is an error here, where the command hands it to accelerate."""
    overrides = [text for key, value in (changes or {}).items() for text in (f"--{key}", str(value))]
    parser = import_module(f"trl.scripts.{COMMANDS[task]}").make_parser()
    return parser.parse_args_and_config(["--config", str(path), *overrides], fail_with_unknown_args=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("task", "config"), NAMES)
def test_trl_knows_every_key(task: str, config: str, method: str, exports: Path) -> None:
    path = exports / "hf" / CONFIGURATIONS / method / f"{config}.yaml"
    written = yaml.safe_load(path.read_text())
    script, training, model, _ = parsed(task, path, {"use_cpu": True, "bf16": False})
    assert (script.dataset_name, model.use_peft) == (f"./{config}", method == "lora")
    length = "max_completion_length" if task == "rl" else "max_length"
    assert getattr(training, length) == written[length]
    assert training.learning_rate == written["learning_rate"]


@pytest.fixture
def train(exports: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Runs TRL's script on a ready configuration from within the release's folder; where it wrote the model."""
    monkeypatch.chdir(exports / "hf")
    monkeypatch.setattr(sys, "path", list(sys.path))  # TRL adds the folder that rewards.py lies in

    def run(task: str, config: str, method: str, **changes: Any) -> Path:
        out = tmp_path / method / config
        settings = (
            ON_A_CPU | (FEW_TOKENS if task == "rl" else {}) | {"model_name_or_path": model_folder, "output_dir": out}
        )
        arguments = parsed(task, Path(CONFIGURATIONS) / method / f"{config}.yaml", settings | changes)
        import_module(f"trl.scripts.{COMMANDS[task]}").main(*arguments)
        return out

    return run


def logged(out: Path) -> dict[str, float]:
    """What the first step logged."""
    return json.loads((out / "checkpoint-1" / "trainer_state.json").read_text())["log_history"][0]


def changed_weights(out: Path, model_folder: Path) -> int:
    """How many of the model's tensors differ from those it started with."""
    from safetensors.torch import load_file

    before, after = (load_file(folder / "model.safetensors") for folder in (model_folder, out))
    assert before.keys() == after.keys()
    return sum(not before[name].equal(after[name]) for name in before)


@pytest.mark.parametrize(("task", "config"), [("sft", "sft_stage2_merged"), ("dpo", "dpo_stage1")])
def test_a_step_of_full_training_changes_the_weights(
    task: str, config: str, train: Callable[..., Path], model_folder: Path
) -> None:
    out = train(task, config, "full")
    step = logged(out)
    assert math.isfinite(step["loss"]) and step["loss"] > 0
    assert math.isfinite(step["grad_norm"]) and step["grad_norm"] > 0
    assert changed_weights(out, model_folder) > 50


def test_a_step_of_grpo_asks_the_releases_own_rewards(train: Callable[..., Path]) -> None:
    step = logged(train("rl", "rl_stage1", "full"))
    assert math.isfinite(step["loss"])
    assert 0 <= step["rewards/answer_reward/mean"] <= 1
    assert 0 <= step["rewards/format_reward/mean"] <= 1


def test_validation_rows_are_evaluated(train: Callable[..., Path]) -> None:
    out = train("dpo", "dpo_stage1", "full", eval_strategy="steps", eval_steps=1, per_device_eval_batch_size=8)
    history = json.loads((out / "checkpoint-1" / "trainer_state.json").read_text())["log_history"]
    assert any(math.isfinite(entry.get("eval_loss", math.nan)) for entry in history)


def test_what_lora_learns_is_merged_for_the_next_step(
    train: Callable[..., Path], exports: Path, model_folder: Path
) -> None:
    from safetensors import safe_open

    out = train("sft", "sft_stage1", "lora")
    with safe_open(out / "adapter_model.safetensors", "pt") as adapter:
        assert all("language_model" in name for name in adapter.keys())
    merge = exports / "hf" / CONFIGURATIONS / "merge_lora.py"
    subprocess.run([sys.executable, str(merge), str(out)], check=True)
    assert changed_weights(out / "merged", model_folder) >= 28  # seven layers in each of four blocks
    after = train("dpo", "dpo_stage1", "lora", model_name_or_path=out / "merged")
    assert (after / "adapter_model.safetensors").exists()
    started = yaml.safe_load((exports / "hf" / CONFIGURATIONS / "lora" / "sft_stage2_merged.yaml").read_text())
    assert started["model_name_or_path"] == "outputs/lora/sft_stage1/merged"
