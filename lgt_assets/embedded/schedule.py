"""How long each phase of training lasts, what it trains on and how fast it learns. Free of torch."""

from __future__ import annotations

import random
from dataclasses import dataclass

# Names with how often each is drawn.
Weights = tuple[tuple[str, float], ...]
_TEXT_ROLES: Weights = (("questioner", 1.4), ("reasoner", 1.3), ("verifier", 1.2), ("composer", 0.8))


@dataclass(frozen=True)
class Cycle:
    """Steps at one rate that fall to nothing in the end; each takes a batch of ``first`` and one of ``second``.

    Names are drawn with their weights; the fall takes the last ``decay`` of the steps.
    """

    steps: int
    rate: float
    decay: float
    first: Weights = (("practice", 0.15), ("vlm", 0.85))
    second: Weights = _TEXT_ROLES


# The second cycle goes to what is still weak after the first: writing, above all composing; the third to choices of two
# parts, to compositions of more parents and with conditions, and to reading thoughts; the short last one to composing.
_CYCLES = (
    Cycle(5600, 2e-3, 0.45),
    Cycle(
        2600,
        1.1e-3,
        0.8,
        (("practice", 0.15), ("vlm", 0.4), ("composer", 0.25), ("questioner", 0.2)),
        (("questioner", 1.2), ("reasoner", 1.3), ("verifier", 1.2), ("composer", 1.1)),
    ),
    Cycle(
        2600,
        8e-4,
        0.8,
        (("practice", 0.5), ("vlm", 0.38), ("open", 0.12)),
        (
            ("reasoner", 1.3),
            ("verifier", 1.2),
            ("composer", 1.2),
            ("questioner", 0.35),
            ("consistency", 0.4),
            ("behaviours", 0.5),
        ),
    ),
    Cycle(
        600,
        6e-4,
        1.0,
        (("composer", 0.7), ("behaviours", 0.3)),
        (("composer", 0.4), ("verifier", 0.25), ("vlm", 0.15), ("reasoner", 0.12), ("questioner", 0.08)),
    ),
)


@dataclass(frozen=True)
class Schedule:
    """How long each phase lasts, in steps, and how fast it learns."""

    vision_steps: int = 400
    scenes_per_vision_batch: int = 24
    vision_rate: float = 2e-3
    # The first cycle begins with copying drills and practice in reasoning.
    drill_steps: int = 250
    practice_steps: int = 500
    cycles: tuple[Cycle, ...] = _CYCLES
    tower_rate: float = 0.3

    @property
    def total(self) -> int:
        """Steps of all phases."""
        return self.vision_steps + sum(cycle.steps for cycle in self.cycles)

    def cycle_at(self, at: int) -> tuple[Cycle, int]:
        """The cycle of a step counted from the end of the vision phase, and that step's number in it."""
        for cycle in self.cycles:
            if at < cycle.steps:
                return cycle, at
            at -= cycle.steps
        raise IndexError(f"the schedule ends {at} steps earlier")


# The student of the asset group post_training: it sees, and reasons badly. After the drills it learns to list what it sees with
# its place, as a student that cannot say where things are learns only the pictures it is trained on by heart; then a few
# thoughts; a few of the reasoner's, so that a second thought is no foreign text to it.
STUDENT = Schedule(
    drill_steps=250,
    practice_steps=0,
    cycles=(
        Cycle(900, 2e-3, 0.15, (("listing", 1.0),), (("listing", 0.75), ("practice", 0.25))),
        Cycle(600, 1e-3, 0.5, (("vlm", 1.0),), (("vlm", 0.4), ("practice", 0.45), ("reasoner", 0.15))),
    ),
)
SCHEDULES = {"embedded": Schedule(), "student": STUDENT}


def draw(weights: Weights, generator: random.Random) -> str:
    """One of the names, by weight."""
    names, shares = zip(*weights, strict=True)
    return generator.choices(names, shares)[0]
