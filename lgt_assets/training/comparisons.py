"""How far apart models are on the same questions, with 95 % intervals over seeds and over questions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Hits = Sequence[Sequence[bool]]  # by seed and question


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; the ends are infinite where one observation tells nothing of the spread."""

    value: float
    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        """Whether the value may as well be nothing."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Difference:
    """One kind of model less another: over seeds (t, paired by seed) and over questions (normal, paired by question)."""

    seeds: int
    questions: int
    over_seeds: Interval
    over_questions: Interval

    @property
    def value(self) -> float:
        """The difference of the mean shares."""
        return self.over_questions.value

    @property
    def widest(self) -> Interval:
        """The interval that claims least; with a single seed the questions' alone, as there is no other."""
        if self.seeds < 2:
            return self.over_questions
        return max(self.over_seeds, self.over_questions, key=lambda one: one.high - one.low)

    @property
    def verdict(self) -> str:
        """In words: an effect is one only where the widest interval leaves nothing out."""
        if self.widest.holds_zero:
            return "within the noise"
        said = "better" if self.value > 0 else "worse"
        return said if self.seeds > 1 else f"{said}, of one seed"


def mean_over_seeds(values: Sequence[float]) -> Interval:
    """The mean with the interval of Student's t."""
    mean = statistics.fmean(values)
    half = _t_half(values)
    return Interval(mean, mean - half, mean + half)


def difference(first: Hits, second: Hits) -> Difference:
    """``first`` less ``second``.

    Args:
        first: whether each question was answered right, by seed.
        second: the same questions; as many seeds, or one model that all seeds are held against.

    Raises:
        ValueError: they were asked different numbers of questions, or have different numbers of seeds.
    """
    lengths = {len(own) for own in (*first, *second)}
    if len(lengths) != 1 or len(second) not in (1, len(first)):
        raise ValueError(f"{len(first)} and {len(second)} seeds, asked {sorted(lengths)} questions, cannot be compared")
    others = list(second) * (len(first) if len(second) == 1 else 1)
    pairs = list(zip(first, others, strict=True))
    by_seed = [statistics.fmean(a) - statistics.fmean(b) for a, b in pairs]
    by_question = [statistics.fmean(a[number] - b[number] for a, b in pairs) for number in range(lengths.pop())]
    mean = statistics.fmean(by_question)
    half = 1.96 * statistics.stdev(by_question) / math.sqrt(len(by_question)) if len(by_question) > 1 else math.inf
    return Difference(len(first), len(by_question), mean_over_seeds(by_seed), Interval(mean, mean - half, mean + half))


def _t_half(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.inf
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
