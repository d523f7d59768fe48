"""Training of the embedded model: vision first, then copying drills, then all roles at once.

Everything follows from the seed and the number of steps: batches are made from (seed, role, number), so a run that was
killed and resumed ends with the same weights as one that was not.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgt_assets.embedded.batches import FIRST_TRAINING_SCENE, Batch, BatchSource
from lgt_assets.embedded.detection import DetectionHead, cell_targets, detection_loss
from lgt_assets.embedded.initialization import EMBEDDING_DEVIATION, initialize_decoder, initialize_tower
from lgt_assets.embedded.network import (
    Decoder,
    configuration,
    export,
    picture_positions,
    see,
    text_positions,
    vocabulary_size,
)
from lgt_assets.embedded.pixels import PROCESSOR, scene_patches
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.embedded.tokenizer import build_tokenizer

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Schedule:
    """How long each phase lasts, in steps, and how fast it learns."""

    vision_steps: int = 1500
    drill_steps: int = 250
    steps: int = 14000
    vision_rate: float = 2e-3
    rate: float = 2e-3
    tower_rate: float = 0.3
    decay: float = 0.45
    scenes_per_vision_step: int = 48
    # Each joint step takes one batch of the VLM and one of another role, drawn with these weights.
    others: tuple[tuple[str, float], ...] = (("questioner", 1.4), ("reasoner", 1.3), ("verifier", 1.2), ("composer", 0.8))


class Trainer:
    """The networks, their optimizers and how far they have come."""

    def __init__(self, seed: int, schedule: Schedule) -> None:
        from transformers import Qwen2_5_VLForConditionalGeneration

        torch.manual_seed(seed)
        self.seed, self.schedule, self.step = seed, schedule, 0
        self.tokenizer = build_tokenizer(seed)
        self.tower = Qwen2_5_VLForConditionalGeneration(configuration(self.tokenizer)).model.visual
        initialize_tower(self.tower)
        self.decoder = Decoder(vocabulary_size(self.tokenizer))
        initialize_decoder(self.decoder)
        self.head = DetectionHead()
        self.batches = BatchSource(self.tokenizer, seed)
        self.served = {role: 0 for role in ("vlm", "questioner", "reasoner", "verifier", "composer")}
        self._is_letter = torch.zeros(vocabulary_size(self.tokenizer), dtype=torch.bool)
        self._is_letter[self.batches.letters] = True
        tower = [*self.tower.parameters(), *self.head.parameters()]
        self.vision_optimizer = torch.optim.AdamW(tower, lr=1.0, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
        groups = [{"params": list(self.decoder.parameters()), "scale": 1.0}, {"params": tower, "scale": schedule.tower_rate}]
        self.optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
        self.recent: dict[str, list[float]] = {}

    @property
    def total(self) -> int:
        return self.schedule.vision_steps + self.schedule.steps

    def advance(self) -> None:
        """One step of whatever phase is due."""
        if self.step < self.schedule.vision_steps:
            self._vision_step(self.step)
            if self.step + 1 == self.schedule.vision_steps:
                self._match_scale()
        else:
            self._joint_step(self.step - self.schedule.vision_steps)
        self.step += 1

    def _vision_step(self, at: int) -> None:
        schedule = self.schedule
        generator = random.Random(f"vision-{self.seed}-{at}")
        scenes = [
            generate_scene(FIRST_TRAINING_SCENE + generator.randrange(1 << 40)) for _ in range(schedule.scenes_per_vision_step)
        ]
        with torch.autocast("cpu", torch.bfloat16):
            visual = see(self.tower, torch.from_numpy(scene_patches(scenes)))
        loss, accuracies = detection_loss(self.head(visual), cell_targets(scenes))
        progress = at / schedule.vision_steps
        rate = schedule.vision_rate * min(1.0, (at + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-5
        self._update(self.vision_optimizer, loss, rate)
        self._note("vision", loss.item(), accuracies[0], min(accuracies[1:]))

    @torch.no_grad()
    def _match_scale(self) -> None:
        """Bring visual tokens to the size of embedded words."""
        scenes = [generate_scene(FIRST_TRAINING_SCENE + i) for i in range(32)]
        factor = EMBEDDING_DEVIATION / see(self.tower, torch.from_numpy(scene_patches(scenes))).std()
        self.tower.merger.mlp[2].weight *= factor
        self.tower.merger.mlp[2].bias *= factor

    def _joint_step(self, at: int) -> None:
        schedule = self.schedule
        generator = random.Random(f"step-{self.seed}-{at}")
        if at < schedule.drill_steps:
            names = ["drill", "drill"]
        else:
            roles, weights = zip(*schedule.others, strict=True)
            names = ["vlm", generator.choices(roles, weights)[0]]
        loss = torch.zeros(())
        for i, name in enumerate(names):
            if name == "drill":
                batch = self.batches.drill(2 * at + i)
            else:
                batch = self.batches.batch(name, self.served[name])
                self.served[name] += 1
            part = self._loss(name, batch) / len(names)
            part.backward()
            loss = loss + part.detach()
        progress = at / schedule.steps
        falling = 1.0 if progress < 1 - schedule.decay else max(0.02, (1 - progress) / schedule.decay)
        self._update(self.optimizer, None, schedule.rate * min(1.0, (at + 1) / 100) * falling)

    def _loss(self, name: str, batch: Batch) -> Tensor:
        """Cross-entropy over the reply, letters thrice; with pictures a fifth of the detection loss on top."""
        extra = torch.zeros(())
        with torch.autocast("cpu", torch.bfloat16):
            embedded = self.decoder.embed_tokens(batch.ids)
            positions = text_positions(batch.ids.shape[1])
            if batch.scenes:
                visual = see(self.tower, torch.from_numpy(scene_patches(batch.scenes)))
                extra, _ = detection_loss(self.head(visual), cell_targets(batch.scenes))
                start, count = self.batches.picture_start, visual.shape[1]
                embedded = torch.cat([embedded[:, :start], visual.to(embedded.dtype), embedded[:, start + count :]], 1)
                positions = picture_positions(batch.ids.shape[1], start)
            hidden = self.decoder(embedded, positions)
            learnt = batch.learnt[:, 1:]
            logits = self.decoder.logits(hidden[:, :-1][learnt]).float()
        wanted = batch.ids[:, 1:][learnt]
        losses = F.cross_entropy(logits, wanted, reduction="none")
        letters = self._is_letter[wanted]
        weights = torch.where(letters, 3.0, 1.0)
        hits = (logits.argmax(-1) == wanted).float()
        loss = (losses * weights).sum() / weights.sum()
        self._note(name, loss.item(), hits.mean().item(), hits[letters].mean().item() if letters.any() else math.nan)
        return loss + 0.2 * extra

    def _update(self, optimizer: torch.optim.Optimizer, loss: Tensor | None, rate: float) -> None:
        if loss is not None:
            loss.backward()
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def _note(self, name: str, *values: float) -> None:
        self.recent.setdefault(name, []).append(values)
        del self.recent[name][:-30]

    def message(self) -> str:
        """Loss, token and letter accuracy of the last batches of each kind."""
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
            "schedule": asdict(self.schedule),
            "step": self.step,
            "served": self.served,
            "decoder": self.decoder.state_dict(),
            "tower": self.tower.state_dict(),
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "vision_optimizer": self.vision_optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        partial = folder / "training.pt.partial"
        torch.save(state, partial)
        os.replace(partial, folder / "training.pt")

    def load(self, folder: Path) -> None:
        """Go on where the state in a folder stopped. Raises ValueError if it belongs to another seed or schedule."""
        state = torch.load(folder / "training.pt", weights_only=True)
        for name in ("decoder", "tower", "head", "optimizer", "vision_optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.served = state["step"], state["served"]
        torch.set_rng_state(state["random"])

    def export(self, folder: Path) -> None:
        """Write the model as Auto classes load it."""
        export(self.decoder, self.tower, self.tokenizer, folder)
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
) -> Path:
    """Train from a seed and write weights, tokenizer and configurations to ``out``; returns ``out``."""
    torch.set_num_threads(threads)
    trainer = Trainer(seed, schedule or Schedule())
    out.mkdir(parents=True, exist_ok=True)
    if resume and (out / "training.pt").exists():
        trainer.load(out)
    while trainer.step < trainer.total:
        trainer.advance()
        if progress and trainer.step % 10 == 0:
            progress(trainer.step, trainer.total, trainer.message())
        if trainer.step % save_every == 0:
            trainer.save(out)
            if trainer.step >= trainer.schedule.vision_steps:
                trainer.export(out)
    trainer.save(out)
    trainer.export(out)
    return out
