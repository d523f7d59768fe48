import json
import math
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.errors import ReleaseError, SettingsError
from lgt_assets.training.fine_tuning import RECORD, fine_tune
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.students import student_folder

# The made release is small; not every question there has every kind.
LONG = Recipe("sft_stage2_merged", ("long",))
BUDGET = Budget(steps=2, batch=2, learning_rate=1e-3, save_every=1)
DEADLINE_SECONDS = 180

PROGRAM = """
import sys
from pathlib import Path
from lgt_assets.training.fine_tuning import fine_tune
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.students import student_folder
fine_tune(Path(sys.argv[1]), Recipe("sft_stage2_merged", ("long",)), student_folder(), Path(sys.argv[2]),
          budget=Budget(int(sys.argv[3]), 2, 1e-3, 1), seed=5)
"""


def weights(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.slow
def test_two_steps_change_the_weights_and_are_recorded(export: Path, tmp_path: Path) -> None:
    record = fine_tune(export, LONG, student_folder(), tmp_path / "a", budget=BUDGET, seed=5)
    assert len(record["losses"]) == 2 and all(map(math.isfinite, record["losses"]))
    assert record["release"] == json.loads((export / "release.json").read_text())["release_id"]
    assert record["tokens"] > 0 and record["max_length"] > 100
    before, after = weights(student_folder()), weights(tmp_path / "a")
    assert any(not before[name].float().equal(after[name]) for name in before)
    # It has ended: nothing is trained again, and other settings are refused.
    written = (tmp_path / "a" / "model.safetensors").stat().st_mtime_ns
    assert fine_tune(export, LONG, student_folder(), tmp_path / "a", budget=BUDGET, seed=5) == record
    assert (tmp_path / "a" / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(SettingsError, match="another release, start, budget or seed"):
        fine_tune(export, LONG, student_folder(), tmp_path / "a", budget=replace(BUDGET, steps=3), seed=5)


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_checkpoint(export: Path, tmp_path: Path, python: str) -> None:
    out, steps = tmp_path / "killed", 12
    running = subprocess.Popen([python, "-c", PROGRAM, str(export), str(out), str(steps)], env=os.environ)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not list(out.glob("checkpoint-*/trainer_state.json")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (out / RECORD).exists()
    record = fine_tune(export, LONG, student_folder(), out, budget=Budget(steps, 2, 1e-3, 1), seed=5)
    assert 1 <= record["resumed_at"] < steps and len(record["losses"]) == steps
    whole = fine_tune(export, LONG, student_folder(), tmp_path / "whole", budget=Budget(steps, 2, 1e-3, 1), seed=5)
    assert record["losses"] == pytest.approx(whole["losses"], rel=1e-3)


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    with pytest.raises(ReleaseError, match="no train rows of sft_stage2_merged"):
        fine_tune(tmp_path, LONG, student_folder(), tmp_path / "out", budget=BUDGET, seed=0)
