"""What is known of one endpoint: whether it is there, how much it takes, how long it rests."""

from collections.abc import Iterable

from yarl import URL

from lgt_assets.engines.openai_limit import AdaptiveLimit

_FAULTS_UNTIL_DOWN = 3


class Endpoint:
    """One server. Not there (``up`` false) until asked what it serves; out again when it fails.

    Attributes:
        address: the base address, up to and with /v1.
        limit: how many requests it is given at once; ``active`` are under way.
        names: what its answers may call the model; None until it was asked.
        up: whether it gets requests.
        rests_until: time of the event loop before which it gets none.
        error: what was last wrong with it.
        setbacks: how often in a row it was down or told to wait, since its last answer.
    """

    def __init__(self, address: str, most: int, tolerance: float) -> None:
        self.address = address
        self.completions = URL(f"{address}/chat/completions")
        self.models = URL(f"{address}/models")
        self.limit = AdaptiveLimit(most, tolerance)
        self.active = 0
        self.names: frozenset[str] | None = None
        self.up = False
        self.rests_until = 0.0
        self.error = ""
        self.setbacks = 0
        self._faults = 0

    def __str__(self) -> str:
        return self.address

    def answered(self) -> None:
        """It works: what went wrong before is over."""
        self._faults = self.setbacks = 0

    def failed(self, error: str, *, unreachable: bool) -> bool:
        """Count a failed attempt; whether the endpoint is to be taken for down."""
        self.error = error
        self._faults += 1
        return self.up and (unreachable or self._faults >= _FAULTS_UNTIL_DOWN)

    def takes(self, now: float) -> bool:
        """Whether it may be given one more request."""
        return self.up and self.active < self.limit.value and self.rests_until <= now

    def load(self) -> float:
        """How full it would be with one more request, in [0, 1]."""
        return (self.active + 1) / self.limit.value


def least_loaded(endpoints: Iterable[Endpoint], now: float, avoided: Endpoint | None = None) -> Endpoint | None:
    """The endpoint for the next request: the emptiest by its own limit, so that unequal servers get unequal shares.

    ``avoided`` failed this very request and comes last; None if no endpoint takes one.
    """
    best, best_load = None, float("inf")
    for endpoint in endpoints:
        if endpoint.takes(now):
            load = endpoint.load() + (endpoint is avoided)
            if load < best_load:
                best, best_load = endpoint, load
    return best
