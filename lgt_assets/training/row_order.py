"""The order in which a training sees its rows: steps of like length, so that little of a step is padding, in random order."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice

# Steps whose rows are sorted together: enough to leave little padding, few enough to keep an epoch mixed.
_SORTED_TOGETHER = 8


def grouped_order(lengths: Sequence[int], batch: int, steps: int, seed: int) -> list[int]:
    """Numbers of the rows of all steps, one step's after the other; every row once before any comes again.

    transformers' own sampler by length goes from the longest rows to the shortest, over hundreds of rows: with few steps the rate
    would fall as the rows get shorter.

    Args:
        lengths: of each row, in any unit.
        batch: rows of a step.
        steps: how many.
        seed: of the order.

    Raises:
        ValueError: there are no rows.
    """
    if not lengths:
        raise ValueError("no rows have no order")
    generator = random.Random(f"rows-{seed}")
    drawn = _shuffled_again_and_again(len(lengths), generator)
    order: list[int] = []
    while len(order) < batch * steps:
        together = sorted(islice(drawn, batch * _SORTED_TOGETHER), key=lambda number: lengths[number])
        groups = [together[start : start + batch] for start in range(0, len(together), batch)]
        generator.shuffle(groups)
        order += [number for group in groups for number in group]
    return order[: batch * steps]


def _shuffled_again_and_again(count: int, generator: random.Random) -> Iterator[int]:
    numbers = list(range(count))
    while True:
        generator.shuffle(numbers)
        yield from numbers
