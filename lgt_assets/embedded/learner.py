"""One gradient at a time: the networks, what they are shown, and the loss. Several processes may share the weights."""

from __future__ import annotations

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgt_assets.embedded.batches import FIRST_TRAINING_SCENE, Batch, BatchSource
from lgt_assets.embedded.detection import DetectionHead, cell_targets, detection_loss
from lgt_assets.embedded.network import (
    Decoder,
    configuration,
    picture_positions,
    see,
    text_positions,
    vocabulary_size,
)
from lgt_assets.embedded.pixels import scene_patches
from lgt_assets.embedded.scenes import generate_scene

DECISION_WEIGHT = 3.0
DETECTION_WEIGHT = 0.2
# (what, number): ("vision", 7) is the eighth batch of pictures, ("reasoner", 7) the reasoner's eighth batch.
Task = tuple[str, int]


class Model(nn.Module):
    """The decoder, the vision tower of a real Qwen2.5-VL, and the detection head."""

    def __init__(self, tokenizer) -> None:
        from transformers import Qwen2_5_VLForConditionalGeneration

        super().__init__()
        self.tower = Qwen2_5_VLForConditionalGeneration(configuration(tokenizer)).model.visual
        self.decoder = Decoder(vocabulary_size(tokenizer))
        self.head = DetectionHead()


class Learner:
    """Computes the gradient of a task, a pure function of the weights, the seed and the task."""

    def __init__(self, model: Model, tokenizer, seed: int, scenes_per_vision_batch: int) -> None:
        self.model, self._seed, self._scenes = model, seed, scenes_per_vision_batch
        self._batches = BatchSource(tokenizer, seed)
        self._decides = torch.zeros(vocabulary_size(tokenizer), dtype=torch.bool)
        self._decides[self._batches.decisions] = True

    def backward(self, task: Task) -> tuple[float, float, float]:
        """Add the task's gradient to the weights' ``grad``; returns loss, accuracy, and accuracy of decisions or worst."""
        name, number = task
        if name == "vision":
            loss, *numbers = self._vision(number)
        else:
            batch = self._batches.drill(number) if name == "drill" else self._batches.batch(name, number)
            loss, *numbers = self._reply(batch)
        loss.backward()
        return loss.item(), numbers[0], numbers[1]

    def _vision(self, number: int) -> tuple[Tensor, float, float]:
        generator = random.Random(f"vision-{self._seed}-{number}")
        scenes = [generate_scene(FIRST_TRAINING_SCENE + generator.randrange(1 << 40)) for _ in range(self._scenes)]
        with torch.autocast("cpu", torch.bfloat16):
            visual = see(self.model.tower, torch.from_numpy(scene_patches(scenes)))
        loss, accuracies = detection_loss(self.model.head(visual), cell_targets(scenes))
        return loss, accuracies[0], min(accuracies[1:])

    def _reply(self, batch: Batch) -> tuple[Tensor, float, float]:
        """Cross-entropy over the reply, decisions weighing more; with pictures the detection loss on top."""
        model, extra = self.model, torch.zeros(())
        with torch.autocast("cpu", torch.bfloat16):
            embedded = model.decoder.embed_tokens(batch.ids)
            positions = text_positions(batch.ids.shape[1])
            if batch.scenes:
                visual = see(model.tower, torch.from_numpy(scene_patches(batch.scenes)))
                extra, _ = detection_loss(model.head(visual), cell_targets(batch.scenes))
                start, count = self._batches.picture_start, visual.shape[1]
                embedded = torch.cat([embedded[:, :start], visual.to(embedded.dtype), embedded[:, start + count :]], 1)
                positions = picture_positions(batch.ids.shape[1], start)
            hidden = model.decoder(embedded, positions)
            learnt = batch.learnt[:, 1:]
            logits = model.decoder.logits(hidden[:, :-1][learnt]).float()
        wanted = batch.ids[:, 1:][learnt]
        losses = F.cross_entropy(logits, wanted, reduction="none")
        decided = self._decides[wanted]
        weights = torch.where(decided, DECISION_WEIGHT, 1.0)
        hits = (logits.detach().argmax(-1) == wanted).float()
        loss = (losses * weights).sum() / weights.sum() + DETECTION_WEIGHT * extra
        return loss, hits.mean().item(), hits[decided].mean().item() if decided.any() else math.nan


def gradients(model: Model) -> list[Tensor]:
    """The gradients of all weights in a fixed order; zeros where a task did not touch a weight."""
    return [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in model.parameters()]


def serve(connection, model: Model, tokenizer, seed: int, scenes: int, shared: list[Tensor], threads: int) -> None:
    """Loop of a second process: receive a task, leave its gradient in ``shared``, answer with its numbers; None ends."""
    torch.set_num_threads(threads)
    learner = Learner(model, tokenizer, seed, scenes)
    while (task := connection.recv()) is not None:
        model.zero_grad(set_to_none=True)
        numbers = learner.backward(task)
        with torch.no_grad():
            for target, source in zip(shared, gradients(model), strict=True):
                target.copy_(source)
        connection.send(numbers)
