"""Training of the embedded model: vision first, then copying drills, then all roles at once.

Everything follows from the seed and the schedule: a batch is made from (seed, role, number), so a run that was killed
and resumed sees what one that was not would have seen. Each step takes two tasks, one to a process.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from lgt_assets.embedded.batches import FIRST_TRAINING_SCENE, LISTING, PRACTICE
from lgt_assets.embedded.initialization import EMBEDDING_DEVIATION, initialize_decoder, initialize_tower
from lgt_assets.embedded.learner import Learner, Model, Task, gradients, serve
from lgt_assets.embedded.network import export, see
from lgt_assets.embedded.pixels import PROCESSOR, scene_patches
from lgt_assets.embedded.roles import ROLES
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.embedded.schedule import Cycle, Schedule, draw
from lgt_assets.embedded.tokenizer import build_tokenizer, load_tokenizer
from lgt_assets.errors import SettingsError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Called with steps done, steps in all, and a line of recent losses and accuracies.
Progress = Callable[[int, int, str], None]


class Trainer:
    """The networks, their optimizers and how far they have come; use as a context manager."""

    def __init__(self, seed: int, schedule: Schedule, threads: int, tokenizer: PreTrainedTokenizerFast) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(max(1, threads // 2))
        self.seed, self.schedule, self.step = seed, schedule, 0
        self.tokenizer = tokenizer
        self.model = Model(self.tokenizer)
        initialize_tower(self.model.tower)
        initialize_decoder(self.model.decoder)
        self.learner = Learner(self.model, self.tokenizer, seed, schedule.scenes_per_vision_batch)
        self.served = dict.fromkeys((PRACTICE, LISTING, *ROLES), 0)
        tower = [*self.model.tower.parameters(), *self.model.head.parameters()]
        decoder = list(self.model.decoder.parameters())
        self.vision_optimizer = torch.optim.AdamW(tower, lr=1.0, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
        groups = [{"params": decoder, "scale": 1.0}, {"params": tower, "scale": schedule.tower_rate}]
        self.optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
        self.recent: dict[str, list[tuple[float, ...]]] = {}
        self._second = None
        if threads > 1:
            self._start_second(max(1, threads // 2))

    def _start_second(self, threads: int) -> None:
        context = torch.multiprocessing.get_context("spawn")
        self.model.share_memory()
        self._shared = [torch.zeros_like(weight).share_memory_() for weight in self.model.parameters()]
        self._connection, theirs = context.Pipe()
        arguments = (
            theirs,
            self.model,
            self.tokenizer,
            self.seed,
            self.schedule.scenes_per_vision_batch,
            self._shared,
            threads,
        )
        self._second = context.Process(target=serve, args=arguments, daemon=True)
        self._second.start()
        theirs.close()

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *_) -> None:
        if self._second is not None:
            self._connection.send(None)
            self._second.join()

    def advance(self) -> None:
        """One step of whatever phase is due."""
        schedule, at = self.schedule, self.step - self.schedule.vision_steps
        if at < 0:
            progress = self.step / schedule.vision_steps
            falling = 0.5 + 0.5 * math.cos(math.pi * progress) + 0.005
            self._learn([("vision", 2 * self.step), ("vision", 2 * self.step + 1)])
            self._update(self.vision_optimizer, schedule.vision_rate * min(1.0, (self.step + 1) / 100) * falling)
            if at == -1:
                self._match_scale()
        else:
            cycle, inside = schedule.cycle_at(at)
            falling = min(1.0, max(0.02, (1 - inside / cycle.steps) / cycle.decay))
            self._learn(self._tasks(at, cycle))
            self._update(self.optimizer, cycle.rate * min(1.0, (inside + 1) / 100) * falling)
        self.step += 1

    def _tasks(self, at: int, cycle: Cycle) -> list[Task]:
        if at < self.schedule.drill_steps:
            return [("drill", 2 * at), ("drill", 2 * at + 1)]
        generator = random.Random(f"step-{self.seed}-{at}")
        names = [draw(weights, generator) for weights in (cycle.first, cycle.second)]
        if at < self.schedule.drill_steps + self.schedule.practice_steps:
            names = [PRACTICE, generator.choice((PRACTICE, "vlm"))]
        tasks = []
        for role in names:
            tasks.append((role, self.served[role]))
            self.served[role] += 1
        return tasks

    def _learn(self, tasks: list[Task]) -> None:
        """Leave the mean gradient of two tasks on the weights."""
        self.model.zero_grad(set_to_none=True)
        if self._second is None:
            numbers = [self.learner.backward(task) for task in tasks]
        else:
            self._connection.send(tasks[1])
            numbers = [self.learner.backward(tasks[0]), self._connection.recv()]
        mine = gradients(self.model)
        with torch.no_grad():
            for i, weight in enumerate(self.model.parameters()):
                weight.grad = mine[i] if self._second is None else mine[i].add_(self._shared[i])
                weight.grad.mul_(0.5)
        for (name, _), values in zip(tasks, numbers, strict=True):
            self.recent[name] = [*self.recent.get(name, []), values][-40:]

    def _update(self, optimizer: torch.optim.Optimizer, rate: float) -> None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)
        optimizer.step()

    @torch.no_grad()
    def _match_scale(self) -> None:
        """Bring visual tokens to the size of embedded words."""
        scenes = [generate_scene(FIRST_TRAINING_SCENE + i) for i in range(32)]
        factor = EMBEDDING_DEVIATION / see(self.model.tower, torch.from_numpy(scene_patches(scenes))).std()
        self.model.tower.merger.mlp[2].weight *= factor
        self.model.tower.merger.mlp[2].bias *= factor

    def message(self) -> str:
        """Loss, token accuracy and accuracy of decisions of the last batches of each kind."""
        texts = []
        for name, rows in self.recent.items():
            columns = [[value for value in column if not math.isnan(value)] for column in zip(*rows, strict=True)]
            means = [sum(column) / len(column) if column else math.nan for column in columns]
            texts.append("{} {:.3f}/{:.3f}/{:.3f}".format(name, *means))
        return "  ".join(texts)

    def save(self, folder: Path) -> None:
        """Write the state to resume from, whole or not at all."""
        state = {
            "seed": self.seed,
            "schedule": json.dumps(asdict(self.schedule)),
            "step": self.step,
            "served": self.served,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "vision_optimizer": self.vision_optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        partial = folder / "training.pt.partial"
        torch.save(state, partial)
        os.replace(partial, folder / "training.pt")

    def load(self, folder: Path) -> None:
        """Go on where the state in a folder stopped. Raises SettingsError if it belongs to another seed or schedule."""
        state = torch.load(folder / "training.pt", weights_only=True)
        if (state["seed"], state["schedule"]) != (self.seed, json.dumps(asdict(self.schedule))):
            raise SettingsError(f"{folder}/training.pt belongs to another seed or schedule: choose another folder")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.vision_optimizer.load_state_dict(state["vision_optimizer"])
        self.step, self.served = state["step"], state["served"]
        torch.set_rng_state(state["random"])

    def export(self, folder: Path) -> None:
        """Write the model as Auto classes load it."""
        export(self.model.decoder, self.model.tower, self.tokenizer, folder)
        (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR, indent=2) + "\n")


def train(
    out: Path,
    *,
    seed: int = 0,
    schedule: Schedule | None = None,
    resume: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
    save_every: int = 500,
    report_every: int = 10,
) -> Path:
    """Train from a seed and write weights, tokenizer and configurations to ``out``; returns ``out``.

    Every ``save_every`` steps the state to resume from is saved and the model exported as it is.
    """
    out.mkdir(parents=True, exist_ok=True)
    resuming = resume and (out / "training.pt").exists()
    tokenizer = load_tokenizer(out) if resuming else build_tokenizer(seed)
    tokenizer.save_pretrained(out)
    with Trainer(seed, schedule or Schedule(), threads, tokenizer) as trainer:
        if resuming:
            trainer.load(out)
        while trainer.step < trainer.schedule.total:
            trainer.advance()
            last = trainer.step == trainer.schedule.total
            if progress and (trainer.step % report_every == 0 or last):
                progress(trainer.step, trainer.schedule.total, trainer.message())
            if trainer.step % save_every == 0 or last:
                trainer.save(out)
                if trainer.step >= trainer.schedule.vision_steps:
                    trainer.export(out)
    return out
