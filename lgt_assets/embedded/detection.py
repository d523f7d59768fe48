"""The throw-away head that teaches the vision tower first: what stands in each of the 4 x 4 cells."""

from __future__ import annotations

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgt_assets.embedded.network import WIDTH
from lgt_assets.embedded.scenes import CELL_SIZE, COLORS, GRID_STEP, SHAPES, SIZES, Scene

STEPS_IN_CELL = CELL_SIZE // GRID_STEP
# Present, colour, form, size, column and row within the cell, column and row of the cell.
OUTPUTS = (1, len(COLORS), len(SHAPES), len(SIZES), STEPS_IN_CELL, STEPS_IN_CELL, 4, 4)


class DetectionHead(nn.Module):
    """Linear readings of a visual token; trained beside the model, never shipped."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.read = nn.Linear(WIDTH, sum(OUTPUTS))

    def forward(self, visual: Tensor) -> Tensor:
        """Readings (..., sum of OUTPUTS) of visual tokens (..., width)."""
        return self.read(self.norm(visual.float()))


def cell_targets(scenes: list[Scene]) -> Tensor:
    """Targets (scenes, 16, 8), one column for each of OUTPUTS; -100 where a cell is empty."""
    targets = numpy.full((len(scenes), 16, len(OUTPUTS)), -100, numpy.int64)
    targets[:, :, 0] = 0
    for i, scene in enumerate(scenes):
        for item in scene.objects:
            x, y = item.center
            column, row = x // CELL_SIZE, y // CELL_SIZE
            targets[i, row * 4 + column] = (
                1,
                COLORS.index(item.color),
                SHAPES.index(item.shape),
                SIZES.index(item.size),
                x % CELL_SIZE // GRID_STEP,
                y % CELL_SIZE // GRID_STEP,
                column,
                row,
            )
    return torch.from_numpy(targets)


def detection_loss(readings: Tensor, targets: Tensor) -> tuple[Tensor, list[float]]:
    """The summed loss and the accuracy of each of OUTPUTS."""
    parts = readings.split(list(OUTPUTS), -1)
    present = targets[..., 0]
    loss = 4 * F.binary_cross_entropy_with_logits(parts[0][..., 0], present.float())
    accuracies = [((parts[0][..., 0] > 0) == (present > 0)).float().mean().item()]
    for i, part in enumerate(parts[1:], 1):
        loss = loss + (1.0 if i < 4 else 0.5) * F.cross_entropy(
            part.flatten(0, 1), targets[..., i].flatten(), ignore_index=-100
        )
        known = targets[..., i] >= 0
        accuracies.append((part.argmax(-1)[known] == targets[..., i][known]).float().mean().item())
    return loss, accuracies
