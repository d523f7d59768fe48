"""Two steps of each trainer, and each killed in the middle, on the export of a made release."""

import json
import logging
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lgt_assets.errors import ReleaseError, SettingsError
from lgt_assets.post_training_settings import CONSTANT, SGD, PostTrainingSettings
from lgt_assets.training.cells import run_trainer
from lgt_assets.training.learners import loaded
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.reinforcement import GENERATIONS
from lgt_assets.training.students import student_folder
from lgt_assets.training.training_runs import RECORD

# The made release is small; not every question there has every kind.
LONG = Recipe("sft_stage2_merged", ("long",))
DEADLINE_SECONDS = 300
FROZEN = ("visual", "self_attn")
LEARNER = PostTrainingSettings(longest_reply=64)  # long enough that the samples of one prompt differ


def train(
    trainer: str, export: Path, out: Path, steps: int = 2, progress: Callable = lambda *_: None
) -> dict[str, Any]:
    """A short run from the student."""
    budget = Budget(steps, 2, 1e-3, save_every=1)
    if trainer == "grpo":  # as the profile has it
        budget = Budget(steps, GENERATIONS, 0.6, save_every=1, optimizer=SGD, schedule=CONSTANT, frozen=FROZEN)
    settings: dict[str, Any] = {"budget": budget, "seed": 5, "progress": progress, "learner": LEARNER}
    return run_trainer(trainer, export, LONG, student_folder(), out, **settings)


PROGRAM = """
import sys
from pathlib import Path
from lgt_assets_tests.training.test_trainers import train
train(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
"""


@contextmanager
def warnings_of(library: str) -> Iterator[list[str]]:
    """What a library's logger says meanwhile; pytest does not see it, as transformers keeps its messages to itself."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger(library).addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger(library).removeHandler(handler)


def weights(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def is_frozen(name: str) -> bool:
    return not set(FROZEN).isdisjoint(name.split("."))


def moments(checkpoint: Path) -> int:
    """How many tensors as large as weights the optimizer keeps."""
    import torch

    state = torch.load(checkpoint / "optimizer.pt", weights_only=True)["state"]
    return sum(value.dim() > 0 for own in state.values() for value in own.values() if value is not None)


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(first[name].equal(second[name]) for name in first)


@pytest.mark.slow
@pytest.mark.parametrize(("trainer", "watched"), [("sft", "loss"), ("dpo", "loss"), ("grpo", "reward")])
def test_two_steps_change_the_weights_and_are_recorded(
    trainer: str, watched: str, rewarding: Path, tmp_path: Path
) -> None:
    export = rewarding
    told: list[tuple[int, int, float]] = []
    record = train(trainer, export, tmp_path / "a", progress=lambda *step: told.append(step))
    assert [step[:2] for step in told] == [(1, 2), (2, 2)]
    assert record["history"][watched] == [step[2] for step in told] and all(
        map(math.isfinite, record["history"][watched])
    )
    assert record["release"] == json.loads((export / "release.json").read_text())["release_id"]
    assert record["tokens"] == sum(record["history"]["step_tokens"]) > 0
    before, after = weights(student_folder()), weights(tmp_path / "a")
    frozen = sum(value.numel() for name, value in before.items() if trainer == "grpo" and is_frozen(name))
    passes = {"sft": 3, "dpo": 4, "grpo": 4}[trainer]
    assert record["operations"] == 2 * record["tokens"] * (passes * record["parameters"] - frozen)
    assert all(record["history"]["grad_norm"])
    # A warm-up begins with nothing; what is constant has none. Of SGD no checkpoint holds moments.
    assert record["history"]["learning_rate"] == ([0.6, 0.6] if trainer == "grpo" else [0.0, 1e-3])
    assert moments(tmp_path / "a" / "checkpoint-2") == (0 if trainer == "grpo" else 2 * len(after))
    changed = {name for name in before if not before[name].float().equal(after[name])}
    assert changed and (trainer != "grpo" or not [name for name in changed if is_frozen(name)])
    # It has ended: nothing is trained again, and other settings are refused.
    written = (tmp_path / "a" / "model.safetensors").stat().st_mtime_ns
    assert train(trainer, export, tmp_path / "a") == record
    assert (tmp_path / "a" / "model.safetensors").stat().st_mtime_ns == written
    # A kill between the last checkpoint and the record: all steps are done, and none is added.
    (tmp_path / "a" / RECORD).unlink()
    (tmp_path / "a" / "model.safetensors").unlink()
    again = train(trainer, export, tmp_path / "a")
    assert again == record | {"resumed_at": 2} and same(weights(tmp_path / "a"), after)
    with pytest.raises(SettingsError, match="another release, start, budget or seed"):
        train(trainer, export, tmp_path / "a", steps=3)


@pytest.mark.slow
@pytest.mark.parametrize(("trainer", "watched"), [("sft", "loss"), ("dpo", "loss"), ("grpo", "reward")])
def test_a_killed_run_goes_on_from_its_last_checkpoint(
    trainer: str, watched: str, rewarding: Path, tmp_path: Path, python: str
) -> None:
    export = rewarding
    out, steps = tmp_path / "killed", 8
    command = [python, "-c", PROGRAM, trainer, str(export), str(out), str(steps)]
    running = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE_SECONDS
    # The first step of a warm-up changes nothing: by the third the weights tell whether they were put back.
    while not list(out.glob("checkpoint-[3-6]/trainer_state.json")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (out / RECORD).exists()
    # What a kill in the middle of saving leaves: a later checkpoint without its last file.
    (out / "checkpoint-7").mkdir(exist_ok=True)
    (out / "checkpoint-7" / "trainer_state.json").unlink(missing_ok=True)
    with warnings_of("transformers.trainer") as warned:
        record = train(trainer, export, out, steps)
    assert 3 <= record["resumed_at"] < 7
    assert not [said for said in warned if "missing keys" in said]  # they are put back
    whole = train(trainer, export, tmp_path / "whole", steps)
    assert len(whole["history"][watched]) == steps
    assert record["history"][watched] == pytest.approx(whole["history"][watched], rel=1e-3, abs=1e-6)
    assert record["history"]["step_tokens"] == whole["history"]["step_tokens"]
    assert same(weights(out), weights(tmp_path / "whole"))


@pytest.mark.parametrize("trainer", ["sft", "dpo", "grpo"])
def test_a_folder_without_rows_is_refused(trainer: str, tmp_path: Path) -> None:
    pytest.importorskip("trl")
    with pytest.raises(ReleaseError, match="no train rows of"):
        train(trainer, tmp_path, tmp_path / "out")


def test_frozen_names_that_the_model_lacks_are_named() -> None:
    with pytest.raises(SettingsError, match=r"frozen has vision, which is in the path of no weight .* as in model\."):
        loaded(student_folder(), LEARNER, ("vision", "visual"))


def test_lora_has_nothing_frozen() -> None:
    with pytest.raises(SettingsError, match=r"LoRA freezes all weights .* leave frozen \(visual\) out of the budget"):
        loaded(student_folder(), PostTrainingSettings(method="lora"), ("visual",))
