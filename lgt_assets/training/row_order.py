"""The order in which a training sees its rows: steps of like length, so that little of a step is padding, in random order."""

import random
from collections.abc import Iterator, Sequence

# Steps whose rows are sorted together: enough to leave little padding, few enough to keep an epoch mixed.
_SORTED_TOGETHER = 8


def grouped_order(lengths: Sequence[int], batch: int, steps: int, seed: int) -> list[int]:
    """Numbers of the rows of all steps, one step's after the other; every row once before any comes again.

    No step holds a row twice, unless there are fewer rows than a step takes. transformers' own sampler by length goes from the
    longest rows to the shortest, over hundreds of rows: with few steps the rate would fall as the rows get shorter.

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
    order: list[int] = []
    left: list[int] = []  # by the rows before, too few for a step
    while len(order) < batch * steps:
        epoch = generator.sample(range(len(lengths)), len(lengths))
        if left:
            fitting = [number for number in epoch if number not in left] if len(lengths) >= batch else epoch
            filling = fitting[: batch - len(left)]
            epoch = [number for number in epoch if number not in filling]
            left += filling
            if len(left) < batch:
                continue
            order += left
        whole = len(epoch) // batch * batch
        order += [number for step in _like(epoch[:whole], lengths, batch, generator) for number in step]
        left = epoch[whole:]
    return order[: batch * steps]


def _like(rows: Sequence[int], lengths: Sequence[int], batch: int, generator: random.Random) -> Iterator[list[int]]:
    """The rows as steps of like length, some steps at a time in random order."""
    for start in range(0, len(rows), batch * _SORTED_TOGETHER):
        together = sorted(rows[start : start + batch * _SORTED_TOGETHER], key=lambda number: lengths[number])
        steps = [together[at : at + batch] for at in range(0, len(together), batch)]
        generator.shuffle(steps)
        yield from steps
