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
        refused: why it is no server for this model, with its name; empty: nothing speaks against it.
        weight: its share of the requests under way, against the others' weights.
        draining: it gets no new request; with ``gone`` it is forgotten when it has none left.
        setbacks: how often in a row it was down or told to wait, since its last answer.
    """

    def __init__(self, address: str, most: int, tolerance: float, weight: float = 1.0) -> None:
        self.address = address
        self.completions = URL(f"{address}/chat/completions")
        self.models = URL(f"{address}/models")
        self.limit = AdaptiveLimit(most, tolerance)
        self.active = 0
        self.names: frozenset[str] | None = None
        self.up = False
        self.rests_until = 0.0
        self.error = self.refused = ""
        self.weight = weight
        self.draining = self.gone = False
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
        return self.up and not self.draining and self.active < self.limit.value and self.rests_until <= now

    def says(self) -> str:
        """What is wrong with it, with its name."""
        return self.refused or f"{self} {self.error or 'did not answer yet'}"

    def load(self) -> float:
        """Requests under way, with one more, per unit of weight."""
        return (self.active + 1) / self.weight


def least_outstanding(endpoints: Iterable[Endpoint], now: float, avoided: Endpoint | None = None) -> Endpoint | None:
    """The endpoint for the next request: that with the fewest under way for its weight, of those that take one.

    While all take more, requests under way stand in proportion to the weights; one that is at its own limit (which a server finds
    for itself, see :mod:`lgt_assets.engines.openai_limit`) leaves the rest to the others. ``avoided`` failed this very request
    and comes last; None if no endpoint takes one.
    """
    taking = (endpoint for endpoint in endpoints if endpoint.takes(now))
    return min(taking, key=lambda endpoint: (endpoint is avoided, endpoint.load()), default=None)
