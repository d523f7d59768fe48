import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.recipes import Budget
from lgt_assets.training.training_runs import RECORD, run, write

TRAINING = """
import sys
from pathlib import Path
from lgt_assets_tests.training.test_training_runs import train

def build(_):
    print("trains", flush=True)
    sys.stdin.read()
    raise SystemExit

train(Path(sys.argv[1]), build)
"""


def train(out: Path, build: Any) -> dict[str, Any]:
    return run(
        build, {"seed": 1}, out, budget=Budget(1, 1, 1e-3), seed=1, watched="loss", passes=3, progress=lambda *_: None,
        learner=PostTrainingSettings(),
    )  # fmt: skip


def test_two_trainers_never_share_a_folder_and_a_kill_leaves_it_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAINING, str(tmp_path)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout.readline() == "trains\n"
        with pytest.raises(SettingsError, match="another process trains in"):
            train(tmp_path, lambda _: pytest.fail("trained beside another process"))
    finally:
        running.kill()
        running.wait()
    write(tmp_path / RECORD, {"ended": True})
    assert train(tmp_path, lambda _: pytest.fail("trained again")) == {"ended": True}
