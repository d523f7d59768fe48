"""The export's own configs are what ms-swift's commands take: they train a step, and GRPO is rewarded by rewards.py."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lgt_assets_tests.trainers.released_rows import CONFIGS, released_rows
from lgt_assets_tests.trainers.swift.encoding import load, with_its_own_token

pytest.importorskip("swift")
METHODS = ("full", "lora")
NAMES = [(method, config) for method in METHODS for configs in CONFIGS.values() for config in configs]
# What this machine has not: the published model, earlier steps' weights, GPUs, and deepspeed and vLLM, which ask for them.
STEPS_BEFORE = ("adapters", "ref_adapters")
NOT_HERE = (*STEPS_BEFORE, "deepspeed", "use_vllm", "vllm_mode", "vllm_gpu_memory_utilization")
HERE = {"use_cpu": True, "torch_dtype": "float32", "dataloader_num_workers": 0}
ONE_STEP = {"max_steps": 1, "gradient_accumulation_steps": 1, "save_strategy": "no", "eval_strategy": "no"}


def read(exports: Path, method: str, config: str) -> dict[str, Any]:
    path = exports / "swift" / "configs" / method / f"{config}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def arguments(
    exports: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., list[str]]]:
    """The arguments that `swift sft` or `swift rlhf` reads from a config, in the export's folder, less what is not here."""
    from swift.cli.main import parse_yaml_args

    monkeypatch.chdir(exports / "swift")
    before = dict(os.environ)

    def of(method: str, config: str, **changes: Any) -> list[str]:
        settings = {key: value for key, value in read(exports, method, config).items() if key not in NOT_HERE}
        path = tmp_path / "config.yaml"
        settings |= HERE | {"model": str(model_folder), "output_dir": str(tmp_path / "outputs")} | changes
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        read_arguments = [str(path)]
        parse_yaml_args(read_arguments)
        return read_arguments

    yield of
    os.environ.clear()  # ms-swift writes to it
    os.environ.update(before)


def command_of(config: str) -> type:
    """What runs `swift sft`, or `swift rlhf`."""
    from swift.pipelines.train.rlhf import SwiftRLHF
    from swift.pipelines.train.sft import SwiftSft

    return SwiftSft if config.startswith("sft") else SwiftRLHF


@pytest.mark.parametrize(("method", "config"), NAMES)
def test_ms_swift_takes_every_key_and_loads_every_row(
    method: str, config: str, exports: Path, arguments: Callable[..., list[str]]
) -> None:
    from swift.utils import parse_args

    taken, unknown = parse_args(command_of(config).args_class, arguments(method, config))
    assert (unknown, taken.tuner_type, taken.strict) == ([], method, True)
    for split, files in (("train", taken.dataset), ("validation", taken.val_dataset)):
        assert len(load(*files)) == len(released_rows(exports, config, split)) > 0


def test_keys_that_are_not_here_are_arguments_too() -> None:
    from dataclasses import fields

    from swift.arguments import RLHFArguments

    assert {field.name for field in fields(RLHFArguments)} >= set(NOT_HERE)


def trained(config: str, read_arguments: list[str]) -> dict[str, float]:
    """What is logged of the one step."""
    command = command_of(config)(read_arguments)
    with_its_own_token(command.template)
    step = command.main()["log_history"][0]
    assert math.isfinite(step["loss"]) and step["grad_norm"] > 0
    return step


def test_each_step_of_lora_goes_on_from_the_one_before(
    exports: Path, arguments: Callable[..., list[str]], tmp_path: Path
) -> None:
    for config in ("sft_stage1", "sft_stage2_merged", "dpo_stage1"):
        settings = read(exports, "lora", config)
        before = {key: [str(tmp_path / path) for path in settings[key]] for key in STEPS_BEFORE if key in settings}
        # Fast, so that the model after SFT is another than the one before it.
        changes = {"output_dir": str(tmp_path / settings["output_dir"]), "learning_rate": 0.01, "save_steps": 1}
        step = trained(config, arguments("lora", config, **ONE_STEP | before | changes | {"save_strategy": "steps"}))
    assert step["loss"] == pytest.approx(math.log(2), abs=1e-4), "the reference of DPO is not the model after SFT"


def test_grpo_is_rewarded_by_the_releases_own_functions(arguments: Callable[..., list[str]]) -> None:
    step = trained("rl_stage1", arguments("full", "rl_stage1", **ONE_STEP))
    assert 0 <= step["rewards/AnswerReward/mean"] <= 1
    assert 0 < step["rewards/FormatReward/mean"] <= 1


@pytest.mark.parametrize(("method", "config"), NAMES)
def test_a_step_starts_from_what_an_earlier_one_wrote(method: str, config: str, exports: Path) -> None:
    settings = read(exports, method, config)
    written = {f"{read(exports, method, other)['output_dir']}/last-checkpoint" for _, other in NAMES if other != config}
    start = settings.get("adapters", []) if method == "lora" else [settings["model"]]
    start = [path for path in start if path != "Qwen/Qwen2.5-VL-7B-Instruct"]
    assert set(start) <= written
    assert bool(start) == (config != "sft_stage1")
    # The reference of LoRA is the model as the step before left it.
    assert settings.get("ref_adapters", []) == (start if method == "lora" and not config.startswith("sft") else [])


def test_the_plugin_tells_right_answers_from_wrong_ones(exports: Path) -> None:
    from swift.rewards import orms
    from swift.utils import import_external_file

    import_external_file(str(exports / "swift" / "swift_plugin.py"))
    answer, layout = orms["lgt_answer"](), orms["lgt_format"]()
    prompts = load(*(exports / "swift" / f"{config}_train.jsonl" for config in CONFIGS["rl"]))
    columns = {name: list(prompts[name]) for name in ("solution", "verification", "choices")}
    right = [f"<think> So it is. </think><answer>{solution}</answer>" for solution in columns["solution"]]
    wrong = ["<think> So it is. </think><answer>none of these</answer>"] * len(right)
    assert answer(right, **columns, trainer_state=None) == [1.0] * len(right)
    assert answer(wrong, **columns, trainer_state=None) == [0.0] * len(right)
    assert layout([*right, "So it is."], **columns) == [1.0] * len(right) + [0.0]
