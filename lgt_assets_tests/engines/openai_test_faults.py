"""What the test server does wrong, and how much it bears."""

from dataclasses import dataclass

from lgt_assets.identity import random_of

FAULTS = ("busy", "error", "drop", "garbage", "shape", "empty", "wrong_model", "slow")
GARBAGE = {
    "garbage": "<html>not what you asked for</html>",
    "shape": '{"choices": {"0": "red"}, "model": 7}',
    "empty": '{"id": "0", "object": "chat.completion", "model": "m", "choices": []}',
}


@dataclass(frozen=True)
class Faults:
    """What goes wrong: ``rates`` by fault (shares of all attempts), drawn from ``seed``; never more than ``most`` a request.

    busy: 429 with Retry-After; error: 500; drop: the connection closes mid-body; garbage, shape, empty: 200 with no JSON, JSON
    of another shape, no choices; wrong_model: another model's name; slow: no answer for ``slow_seconds``.
    """

    rates: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    most: int = 3
    retry_after: str = "0.01"
    slow_seconds: float = 5.0

    def drawn(self, key: str, attempt: int) -> str:
        """The fault of a request's attempt (from 1), whatever the order of arrival; empty: none."""
        if attempt > self.most:
            return ""
        point = random_of(self.seed, key, attempt).random()
        for fault, rate in self.rates:
            if point < rate:
                return fault
            point -= rate
        return ""


@dataclass(frozen=True)
class Load:
    """What the server bears: beyond ``capacity`` requests at once it ``refuses``, or else all take longer in proportion.

    ``seconds`` is how long an answer takes at least.
    """

    capacity: int = 1_000_000
    seconds: float = 0.0
    refuses: bool = True

    def delay(self, at_once: int) -> float:
        """Seconds that an answer takes with so many at once."""
        return self.seconds * (1.0 if self.refuses else max(1.0, at_once / self.capacity))


NO_FAULTS = Faults()
NO_LOAD = Load()
