"""The endpoints that a client knows: who joined, who drains, who is forgotten."""

import logging
from collections.abc import Iterable

from lgt_assets.engines.endpoint_settings import EndpointSettings
from lgt_assets.engines.openai_endpoint import Endpoint, least_outstanding

_log = logging.getLogger(__name__)


class EndpointPool:
    """Endpoints by what was last listed.

    Args:
        most: requests under way at one endpoint, at most.
        tolerance: of its limit's latency.

    Attributes:
        members: all that get requests, or still have some.
        error: why the list is not known or holds nothing; empty where it is known.
    """

    def __init__(self, most: int, tolerance: float) -> None:
        self._most, self._tolerance = most, tolerance
        self.members: list[Endpoint] = []
        self.error = ""

    def apply(self, listing: Iterable[EndpointSettings]) -> None:
        """Add who is new, take over weights, let drain who is marked or no longer listed."""
        known = {endpoint.address: endpoint for endpoint in self.members}
        listed = {said.address: said for said in listing}
        for address, said in listed.items():
            if address not in known:
                known[address] = Endpoint(address, self._most, self._tolerance)
                self.members.append(known[address])
            endpoint = known[address]
            endpoint.weight, endpoint.gone = said.weight, False
            self._drain(endpoint, said.drain)
        for endpoint in [one for one in self.members if one.address not in listed]:
            endpoint.gone = True
            self._drain(endpoint, True)
            self.forget(endpoint)

    @staticmethod
    def _drain(endpoint: Endpoint, draining: bool) -> None:
        if draining and not endpoint.draining:
            _log.warning("endpoint %s drains: it finishes %d requests and gets no more", endpoint, endpoint.active)
        endpoint.draining = draining

    def forget(self, endpoint: Endpoint) -> None:
        """Let go of an endpoint that is gone and has nothing under way."""
        if endpoint.gone and not endpoint.active and endpoint in self.members:
            self.members.remove(endpoint)

    def next(self, now: float, avoided: Endpoint | None) -> Endpoint | None:
        """See :func:`~lgt_assets.engines.openai_endpoint.least_outstanding`."""
        return least_outstanding(self.members, now, avoided)

    @property
    def serving(self) -> list[Endpoint]:
        """Members that are to get requests, up or not."""
        return [endpoint for endpoint in self.members if not endpoint.draining]

    @property
    def has_hope(self) -> bool:
        """Whether any endpoint is there for requests."""
        return any(endpoint.up for endpoint in self.serving)

    @property
    def all_refused(self) -> bool:
        """Whether there are endpoints, and every one serves something else or refuses its client."""
        return bool(self.serving) and all(endpoint.refused for endpoint in self.serving)

    def says(self) -> str:
        """What is wrong with each, with its name; or with the list."""
        said = [endpoint.says() for endpoint in self.serving]
        return "; ".join([*said, self.error] if self.error else said) or "none is listed, or all are marked drain"
