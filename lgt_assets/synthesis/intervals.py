"""How far a share that was measured on a few samples can be trusted."""

import math

Z_95 = 1.96


def wilson_interval(right: int, samples: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share, by default of 95 %: (lower, upper) in [0, 1]; (0, 1) without samples.

    Raises:
        ValueError: ``right`` is not between 0 and ``samples``.
    """
    if not 0 <= right <= samples:
        raise ValueError(f"right must be between 0 and samples, but is {right} of {samples}")
    if samples == 0:
        return 0.0, 1.0
    share, square = right / samples, z * z
    center = (share + square / (2 * samples)) / (1 + square / samples)
    half = z / (1 + square / samples) * math.sqrt(share * (1 - share) / samples + square / (4 * samples * samples))
    return max(0.0, center - half), min(1.0, center + half)
