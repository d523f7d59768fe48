"""Runs in processes of `accelerate launch`, here on the CPU: the same result, LoRA's merged, and errors that say what failed."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lgt_assets.errors import EngineError, SettingsError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.settings import load_profile
from lgt_assets.training.cells import budget_of, run_trainer
from lgt_assets.training.launched import (
    ACCELERATE,
    SPECIFICATION,
    Specification,
    accelerate_settings,
    launch,
    run_specification,
)
from lgt_assets.training.learners import device_arguments
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.students import student_folder
from lgt_assets.training.training_runs import RECORD

LONG = Recipe("sft_stage2_merged", ("long",))
LORA = PostTrainingSettings(method="lora")
BUDGET = Budget(2, 2, 1e-3, save_every=1)


@pytest.mark.slow
def test_what_lora_learnt_is_merged_by_the_processes_that_are_launched(export: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    told: list[tuple] = []
    record = launch(
        "sft", export, LONG, student_folder(), tmp_path / "out", budget=BUDGET, seed=3, learner=LORA,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert [step[:2] for step in told] == [(1, 2), (2, 2)] and [step[2] for step in told] == record["history"]["loss"]
    assert record["method"] == "lora" and (tmp_path / "out" / RECORD).is_file()
    before, after = (load_file(folder / "model.safetensors") for folder in (student_folder(), tmp_path / "out"))
    assert set(before) == set(after)
    changed = {name for name in before if not before[name].float().equal(after[name].float())}
    assert changed and all("_proj" in name and "visual" not in name for name in changed)
    # A kill between the last checkpoint and the record: the adapter is put back, and no step is added.
    (tmp_path / "out" / RECORD).unlink()
    again = run_trainer(
        "sft", export, LONG, student_folder(), tmp_path / "out", budget=BUDGET, seed=3, learner=LORA,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert again == record | {"resumed_at": 2} and len(told) == 2
    put_back = load_file(tmp_path / "out" / "model.safetensors")
    assert all(after[name].equal(put_back[name]) for name in after)
    assert "use_cpu: true" in (tmp_path / "out" / ACCELERATE).read_text()


@pytest.mark.slow
def test_processes_that_fail_say_why(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    with pytest.raises(EngineError, match="no train rows of sft_stage2_merged"):
        launch(
            "sft", tmp_path, LONG, student_folder(), tmp_path / "out", budget=BUDGET, seed=3, learner=LORA,
            progress=lambda *_: None,
        )  # fmt: skip


@pytest.mark.slow
def test_nothing_that_was_launched_outlives_a_launcher_that_is_stopped(export: Path, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        assert trainers(tmp_path)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch(
            "sft", export, LONG, student_folder(), tmp_path / "out", budget=Budget(1000, 2, 1e-3), seed=3, learner=LORA,
            progress=stop,
        )  # fmt: skip
    assert not trainers(tmp_path)


def trainers(folder: Path) -> list[str]:
    """Running processes that were told of a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # ended meanwhile
            told = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [told] if str(folder) in told else []
    return found


def specification_of(budget: Budget, learner: PostTrainingSettings) -> dict[str, Any]:
    """What lies in the file of a launch."""
    return {
        "trainer": "sft", "export": "/export", "recipe": asdict(LONG), "start": "/start", "out": "/out",
        "budget": budget.as_dict(), "seed": 3, "learner": learner.model_dump(),
    }  # fmt: skip


@pytest.mark.parametrize("trainer", ["sft", "dpo", "grpo"])
@pytest.mark.parametrize("profile", ["embedded", "one-gpu", "paper"])
def test_a_specification_says_what_the_profile_said(profile: str, trainer: str) -> None:
    learner = load_profile(profile).post_training
    budget = budget_of(learner, trainer)
    told = Specification.model_validate_json(json.dumps(specification_of(budget, learner)))
    assert Budget(**told.budget.model_dump()).as_dict() == budget.as_dict()
    assert (told.recipe, told.learner, told.export, told.seed) == (LONG, learner, Path("/export"), 3)


@pytest.mark.parametrize(
    ("part", "field", "value", "said"),
    [
        ("budget", "optimizer", "adam", r"budget\.optimizer: Input should be 'adamw' or 'sgd'"),
        ("budget", "learning_rate", 0.6, r"budget: .*learning_rate 0\.6 is one of sgd"),
        ("budget", "steps", 0, r"budget\.steps: Input should be greater than 0"),
        ("budget", "epochs", 1, r"budget\.epochs: Extra inputs are not permitted"),
        ("learner", "method", "half", r"learner\.method: Input should be 'full' or 'lora'"),
        ("recipe", "kind", "long", r"recipe\.kind: "),
    ],
)
def test_a_specification_that_was_edited_wrongly_is_refused_by_field(
    tmp_path: Path, part: str, field: str, value: object, said: str
) -> None:
    edited = specification_of(BUDGET, LORA)
    edited[part][field] = value
    path = tmp_path / SPECIFICATION
    path.write_text(json.dumps(edited))
    with pytest.raises(SettingsError, match=rf"{SPECIFICATION}: {said}"):
        run_specification(path)


def test_a_specification_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / SPECIFICATION).write_text('{"trainer": "sft",')
    with pytest.raises(SettingsError, match=r"\(whole file\): Invalid JSON"):
        run_specification(tmp_path / SPECIFICATION)


def test_profiles_of_gpus_train_qwen_in_full_by_zero_3_or_by_lora_on_one() -> None:
    one, paper = (load_profile(name).post_training for name in ("one-gpu", "paper"))
    assert (one.method, one.devices, paper.method, paper.devices) == ("lora", 1, "full", 8)
    assert one.model == paper.model == "Qwen/Qwen2.5-VL-7B-Instruct" and one.revision == paper.revision != None  # noqa: E711
    assert accelerate_settings(one)["distributed_type"] == "NO" and not accelerate_settings(one)["use_cpu"]
    assert accelerate_settings(paper)["distributed_type"] == "DEEPSPEED"
    assert accelerate_settings(paper)["deepspeed_config"]["zero_stage"] == 3
    for settings in (one, paper):
        for name in ("sft", "dpo", "grpo"):
            budget = Budget(**getattr(settings, name).model_dump())
            spread = device_arguments(settings, budget)
            rows = spread["per_device_train_batch_size"] * spread["gradient_accumulation_steps"] * settings.devices
            assert rows == budget.batch


def test_accelerate_knows_every_setting(tmp_path: Path) -> None:
    import yaml

    commands = pytest.importorskip("accelerate.commands.config.config_args")
    for name in ("one-gpu", "paper", "embedded"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(accelerate_settings(load_profile(name).post_training)))
        assert commands.load_config_from_file(str(path)).num_processes >= 1  # refuses what it does not know


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(SettingsError, match="a step of 10 rows does not divide into 4 devices of 1 rows each"):
        device_arguments(PostTrainingSettings(devices=4), Budget(1, 10, 1e-3))
