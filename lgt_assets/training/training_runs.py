"""What the runs of all trainers share: settings that must be the same to go on, checkpoints, and a record of every step."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import SGD, PostTrainingSettings
from lgt_assets.sources.files import locked_at_once, write_atomically
from lgt_assets.training.learners import device_arguments, save_whole
from lgt_assets.training.recipes import Budget
from lgt_assets.training.resuming import put_back, restored_weights

RECORD, SETTINGS, LOCK = "training.json", "settings.json", ".training.lock"
# Called with steps done, steps in all, and the last value of what is watched.
Progress = Callable[[int, int, float], None]
# Added to each step's log, so that a checkpoint holds them and a resumed run's sums are those of all its sittings.
_SECONDS, _CPU_SECONDS, _TOKENS = "step_seconds", "step_cpu_seconds", "step_tokens"


def run(
    build: Callable[[Mapping[str, Any]], Any], settings: Mapping[str, Any], out: Path, *,
    budget: Budget, seed: int, watched: str, passes: int, progress: Progress, learner: PostTrainingSettings,
) -> dict[str, Any]:  # fmt: skip
    """Train what ``build`` makes; weights, checkpoints and the record lie in ``out``.

    A run that ended is not repeated; one that was killed goes on from its last whole checkpoint.

    Args:
        build: makes TRL's trainer from the arguments that all trainers share.
        settings: what decides the result; a run is gone on with only where they are the same.
        out: of this run alone.
        budget: see there.
        seed: of the order of rows and of samples.
        watched: what ``progress`` is told of each step, a name in TRL's log.
        passes: forward passes' worth of work on each token: a training step is 3, a reference or a sample 1.
        progress: told after each step.
        learner: what learns, and where.

    Returns:
        What RECORD holds: the settings, ``resumed_at``, ``seconds``, ``cpu_seconds`` (of this process) and ``tokens`` of all
        sittings, ``operations`` (2 x parameters x tokens x passes, of what is frozen a pass less; the vision tower sees
        pictures, not tokens, and is counted as if it did), and ``history``, each number in TRL's log by step.

    Raises:
        SettingsError: ``out`` holds a run with other settings, or another process trains in it now.
    """
    with _alone(out):
        done = _held(out, settings)
        if done:
            return done
        trainer = build(_shared_arguments(out, budget, seed) | device_arguments(learner, budget))
        return _trained(trainer, settings, out, budget, watched, passes, progress, learner)


def _trained(
    trainer: Any, settings: Mapping[str, Any], out: Path, budget: Budget, watched: str, passes: int, progress: Progress,
    learner: PostTrainingSettings,
) -> dict[str, Any]:  # fmt: skip
    _listen(trainer, watched, progress)
    last = _last_whole_checkpoint(out)
    resumed_at = _steps_of(last) if last else 0
    with restored_weights(trainer, last):
        if last and resumed_at >= budget.steps:  # killed after the last step, before the record
            put_back(trainer, last)
        else:
            trainer.train(resume_from_checkpoint=str(last) if last else None)
    parameters = _count(trainer.model.parameters())
    learning = _count(part for part in trainer.model.parameters() if part.requires_grad)
    save_whole(trainer, out, learner)
    log = [entry for entry in trainer.state.log_history if _SECONDS in entry]
    tokens = sum(entry[_TOKENS] for entry in log)
    record = dict(settings) | {
        "resumed_at": resumed_at,
        "seconds": round(sum(entry[_SECONDS] for entry in log), 1),
        "cpu_seconds": round(sum(entry[_CPU_SECONDS] for entry in log), 1),
        "tokens": tokens,
        "parameters": parameters,
        "operations": 2 * ((passes - 1) * parameters + learning) * tokens,
        "history": _by_name(log),
    }
    if trainer.is_world_process_zero():
        write(out / RECORD, record)
    return record


def _count(parts: Iterable[Any]) -> int:
    """Weights; ZeRO stage 3 leaves a device an empty place for what another one holds."""
    return sum(getattr(part, "ds_numel", part.numel()) for part in parts)


def _shared_arguments(out: Path, budget: Budget, seed: int) -> dict[str, Any]:
    return {
        "output_dir": str(out), "max_steps": budget.steps, "learning_rate": budget.learning_rate,
        "lr_scheduler_type": budget.schedule, "warmup_steps": max(1, budget.steps // 20), "save_steps": budget.save_every,
        "save_total_limit": 1, "logging_steps": 1, "seed": seed, "data_seed": seed, "report_to": "none",
        "disable_tqdm": True, "dataloader_num_workers": 0,
    } | ({"optim": SGD} if budget.optimizer == SGD else {})  # fmt: skip


def _listen(trainer: Any, watched: str, progress: Progress) -> None:
    from transformers import PrinterCallback, TrainerCallback

    class Recorded(TrainerCallback):
        """Adds time and tokens to each step's log, and tells of the step."""

        def on_train_begin(self, args, state, control, **_):
            self.began, self.cpu = time.monotonic(), time.process_time()
            self.tokens = state.num_input_tokens_seen  # GRPO counts on from the checkpoint, SFT and DPO from nothing

        def on_log(self, args, state, control, logs=None, **_):
            if watched not in (logs or {}):
                return
            now, cpu = time.monotonic(), time.process_time()
            state.log_history[-1] |= {
                _SECONDS: now - self.began, _CPU_SECONDS: cpu - self.cpu, _TOKENS: int(logs["num_tokens"] - self.tokens),
            }  # fmt: skip
            self.began, self.cpu, self.tokens = now, cpu, logs["num_tokens"]
            progress(state.global_step, state.max_steps, float(logs[watched]))

    trainer.add_callback(Recorded())
    trainer.remove_callback(PrinterCallback)  # the listener is told


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """While no other run trains in ``out``; of the processes of one launch the first holds the lock, which ends with it."""
    is_first = os.environ.get("RANK", "0") == "0"
    with locked_at_once(out / LOCK) if is_first else nullcontext(True) as is_held:
        if not is_held:
            raise SettingsError(f"another process trains in {out} now: wait for it, or end it")
        yield


def _held(out: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of the run that ended in ``out``, or None; other settings are refused."""
    told = out / SETTINGS
    if told.exists() and json.loads(told.read_text()) != settings:
        raise SettingsError(f"{out} holds a run with another release, start, budget or seed: give another folder")
    write(told, settings)
    record = out / RECORD
    return json.loads(record.read_text()) if record.exists() else None


def _last_whole_checkpoint(out: Path) -> Path | None:
    """The last checkpoint with the file that is written last; one that a kill cut off is removed."""
    checkpoints = sorted(out.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in reversed(checkpoints):
        if _is_whole(path):
            return path
        shutil.rmtree(path, ignore_errors=True)  # another process of the launch may have been first
    return None


def _steps_of(checkpoint: Path) -> int:
    return int(json.loads((checkpoint / "trainer_state.json").read_text())["global_step"])


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return True


def _by_name(log: list[dict[str, float]]) -> dict[str, list[float]]:
    """Each number that every step's log has, by step."""
    names = set.intersection(*({name for name, value in entry.items() if _is_number(value)} for entry in log))
    return {name: [entry[name] for entry in log] for name in sorted(names - {"epoch", "step"})}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def method_of(learner: PostTrainingSettings) -> dict[str, str]:
    """What settings say of another method than the whole model's training."""
    return {} if learner.method == "full" else {"method": learner.method}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON file, whole or not at all."""
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode())
