"""One training run in processes that `accelerate launch` starts: ``python -m lgt_assets.training.launched SPECIFICATION``.

The first process prints a line of JSON after each step, [done, total, value]; what an error of ours says is its last line.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lgt_assets.errors import EngineError, LgtError, SettingsError, wrong_fields
from lgt_assets.post_training_settings import BudgetSettings, PostTrainingSettings
from lgt_assets.training.recipes import Budget, Recipe
from lgt_assets.training.training_runs import RECORD, Progress, write

SPECIFICATION, ACCELERATE = "specification.json", "accelerate.yaml"
_LAST_LINES, _SECONDS_TO_END = 30, 45
# In full, 7 B weights with gradients and Adam's moments (about 110 GB) fit no GPU: ZeRO stage 3 spreads them.
_ZERO3 = {
    "zero_stage": 3, "zero3_init_flag": True, "zero3_save_16bit_model": True, "offload_optimizer_device": "none",
    "offload_param_device": "none", "deepspeed_multinode_launcher": "standard",
}  # fmt: skip


def accelerate_settings(learner: PostTrainingSettings) -> dict[str, Any]:
    """What `accelerate launch --config_file` reads: DeepSpeed's ZeRO stage 3 where all weights learn on several GPUs."""
    spread = learner.devices > 1 and learner.method == "full"
    kind = "DEEPSPEED" if spread else "MULTI_GPU" if learner.devices > 1 else "NO"
    settings: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE", "debug": False, "distributed_type": kind, "num_machines": 1, "machine_rank": 0,
        "num_processes": max(1, learner.devices), "mixed_precision": "bf16" if learner.devices else "no",
        "use_cpu": not learner.devices, "main_training_function": "main", "rdzv_backend": "static", "same_network": True,
    }  # fmt: skip
    return settings | ({"deepspeed_config": _ZERO3} if spread else {})


def launch(
    trainer: str, export: Path, recipe: Recipe, start: Path, out: Path, *, budget: Budget, seed: int,
    learner: PostTrainingSettings, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Train in processes of their own, and wait for them; arguments and result are the trainers' own.

    Both files of the launch lie in ``out``: a run can be started by hand with them, on machines of its own, too.

    Raises:
        EngineError: the processes failed; the last lines that they wrote say why.
    """
    out.mkdir(parents=True, exist_ok=True)
    specification = {
        "trainer": trainer, "export": str(export), "recipe": asdict(recipe), "start": str(start), "out": str(out),
        "budget": budget.as_dict(), "seed": seed, "learner": learner.model_dump(),
    }  # fmt: skip
    write(out / SPECIFICATION, specification)
    (out / ACCELERATE).write_text(yaml.safe_dump(accelerate_settings(learner), sort_keys=False))
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(out / ACCELERATE), "-m",
        "lgt_assets.training.launched", str(out / SPECIFICATION),
    ]  # fmt: skip
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    said: list[str] = []
    try:
        for line in running.stdout or ():
            step = _step(line)
            if step:
                progress(*step)
            else:
                said = [*said, line.rstrip()][-_LAST_LINES:]
    finally:
        _end(running)
    if running.returncode or not (out / RECORD).is_file():
        raise EngineError(f"{' '.join(command)} ended with {running.returncode}:\n" + "\n".join(said))
    return json.loads((out / RECORD).read_text())


def _end(running: subprocess.Popen[str]) -> None:
    """End all processes of a launch, which accelerate's own would outlive; of no effect once they have ended."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        running.wait(_SECONDS_TO_END)
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def _step(line: str) -> tuple[int, int, float] | None:
    try:
        done, total, value = json.loads(line)
    except (ValueError, TypeError):
        return None
    return done, total, value


class Specification(BaseModel):
    """What a launch trains: :func:`launch` writes it, and it may have been edited by hand since."""

    model_config = ConfigDict(extra="forbid")

    trainer: Literal["sft", "dpo", "grpo"]
    export: Path
    recipe: Recipe
    start: Path
    out: Path
    budget: BudgetSettings
    seed: int
    learner: PostTrainingSettings


def run_specification(path: Path) -> dict[str, Any]:
    """Train as the file at ``path`` says, in this process.

    Raises:
        LgtError: a field is wrong, rows or rewards are missing, or the folder holds a run with other settings.
    """
    from lgt_assets.training.cells import run_trainer

    try:
        told = Specification.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise SettingsError(f"{path}: {wrong_fields(error)}") from error
    return run_trainer(
        told.trainer, told.export, told.recipe, told.start, told.out, budget=Budget(**told.budget.model_dump()),
        seed=told.seed, learner=told.learner, progress=_tell,
    )  # fmt: skip


def _tell(done: int, total: int, value: float) -> None:
    if os.environ.get("RANK", "0") == "0":
        sys.stdout.write(json.dumps([done, total, value]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        run_specification(Path(sys.argv[1]))
    except LgtError as error:
        sys.exit(str(error))
