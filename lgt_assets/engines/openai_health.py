"""Which endpoints of a fleet are there: listing them again and again, asking those that are away, giving up when none is left."""

import asyncio
import logging
from collections.abc import Callable

from lgt_assets.engines.openai_endpoint import Endpoint
from lgt_assets.engines.openai_fleet import Fleet, NotListed
from lgt_assets.engines.openai_pool import EndpointPool
from lgt_assets.engines.openai_wire import Fault, Wire
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError, SettingsError
from lgt_assets.identity import random_of

_FIRST_CONTACT_SECONDS = 30.0
_LEAST_PROBE_SECONDS = 0.02
_LONGEST = 32  # setbacks after which a wait is the longest there is
_log = logging.getLogger(__name__)


def backoff(settings: OpenaiServerSettings, times: int, *of: object) -> float:
    """Seconds to wait after the ``times``-th setback in a row: exponential, with jitter seeded by what waits."""
    base, cap = settings.backoff_base_seconds, settings.backoff_cap_seconds
    return min(cap, base * 2 ** min(times, _LONGEST)) * (0.5 + random_of(*of, "backoff", times).random() / 2)


class FleetHealth:
    """Keeps a pool of endpoints by what is listed and who answers; everything here runs on one event loop.

    Args:
        settings: of the engine.
        wire: what asks endpoints.
        fleet: what lists them.
        changed: called when requests may find another endpoint than before.
        fail: called with what ends every call.
    """

    def __init__(
        self, settings: OpenaiServerSettings, wire: Wire, fleet: Fleet, *,
        changed: Callable[[], None], fail: Callable[[EngineError], None],
    ) -> None:  # fmt: skip
        self._settings, self._wire, self._fleet = settings, wire, fleet
        self._changed, self._fail = changed, fail
        self.pool = EndpointPool(settings.in_flight, settings.latency_tolerance)
        self._probes: dict[Endpoint, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._is_working = False
        self._trouble_since: float | None = None
        self._was_answered = False

    async def begin(self) -> None:
        """A call begins: list the endpoints, and ask those that are not known to be up.

        Raises:
            SettingsError: what should list them lists something else.
        """
        await self._look()
        self._is_working = True
        self._trouble_since = None
        for endpoint in self.pool.members:
            endpoint.limit.forget_latency()
            if not endpoint.up:
                endpoint.setbacks, endpoint.refused = 0, ""
        self._probe()
        if self._fleet.changes and self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look_again())

    def end(self) -> None:
        """The last call is over: nobody is asked any more."""
        self._is_working = False
        for task in [*self._probes.values(), *([self._watch] if self._watch else [])]:
            task.cancel()
        self._probes.clear()
        self._watch = None

    def answered(self) -> None:
        """A request was answered."""
        self._trouble_since, self._was_answered = None, True

    def is_talking(self) -> None:
        """An endpoint said something sensible."""
        self._trouble_since = None

    def leave_out(self, endpoint: Endpoint, error: str) -> None:
        """An endpoint is down: it gets nothing until it answers again."""
        endpoint.up = False
        _log.warning("endpoint %s is left out for now: it %s", endpoint, error)
        self._count_trouble()
        self._probe()

    def refuse(self, endpoint: Endpoint, error: EngineError) -> None:
        """An endpoint has the wrong model, key or set-up: it is left out by name; where none is left, every call ends."""
        endpoint.up = False
        is_news, endpoint.refused = not endpoint.refused, str(error)
        if self.pool.all_refused:
            self._fail(EngineError(self.pool.says()))
            return
        if is_news:
            _log.error("endpoint refused, the others go on: %s", error)
        self._probe()

    async def _look(self) -> None:
        """Take over what is listed now; where it cannot be had, what was known holds.

        Raises:
            SettingsError: it lists something else than endpoints, and none is known.
        """
        try:
            self.pool.apply(await self._fleet.listed())
            self.pool.error = "" if self.pool.serving else f"{self._fleet} lists no endpoint that is not marked drain"
        except (NotListed, SettingsError) as error:
            if isinstance(error, SettingsError) and not self.pool.members:
                raise
            if str(error) != self.pool.error:
                _log.warning("%s; the endpoints that are known stay", error)
            self.pool.error = str(error)

    async def _look_again(self) -> None:
        """Look while calls are under way: servers join, drain and go."""
        while True:
            await asyncio.sleep(self._settings.discovery_seconds)
            try:
                await self._look()
            except SettingsError as error:
                self._fail(EngineError(str(error)))
            else:
                if not self.pool.has_hope:
                    self._count_trouble()
                self._probe()
                self._changed()

    def _probe(self) -> None:
        """Ask those that are to get requests and are not known to be up."""
        for endpoint in self.pool.serving:
            if self._is_working and not endpoint.up and endpoint not in self._probes:
                task = asyncio.get_running_loop().create_task(self._ask_until_up(endpoint))
                self._probes[endpoint] = task

    async def _ask_until_up(self, endpoint: Endpoint) -> None:
        """Ask an endpoint what it serves, less and less often, until it answers, or is to get no more requests."""
        known = endpoint.names is not None
        try:
            while not (endpoint.up or endpoint.draining):
                if known or endpoint.setbacks:
                    wait = backoff(
                        self._settings, _LONGEST if endpoint.refused else endpoint.setbacks, endpoint.address
                    )
                    await asyncio.sleep(max(_LEAST_PROBE_SECONDS, wait))
                endpoint.setbacks += 1
                try:
                    said = await self._wire.models(endpoint)
                except EngineError as error:
                    self.refuse(endpoint, error)
                    continue
                if isinstance(said, Fault):
                    endpoint.error, endpoint.refused = said.error, ""
                    self._count_trouble()
                else:
                    self._welcome(endpoint, said, back=known)
        finally:
            if self._probes.get(endpoint) is asyncio.current_task():
                del self._probes[endpoint]
        self._changed()

    @staticmethod
    def _welcome(endpoint: Endpoint, names: frozenset[str], *, back: bool) -> None:
        endpoint.names, endpoint.up, endpoint.refused = names, True, ""
        if back:
            endpoint.limit.restart()
            _log.warning("endpoint %s answers again", endpoint)

    def _count_trouble(self) -> None:
        """While any endpoint is up there is hope; when none has been for long, the run ends with what each one said."""
        now = asyncio.get_running_loop().time()
        if self._trouble_since is None:
            self._trouble_since = now
        longest = self._settings.outage_seconds
        if not self._was_answered:
            longest = min(longest, _FIRST_CONTACT_SECONDS)
        if not self.pool.has_hope and now - self._trouble_since >= longest:
            said = f"no endpoint answers: {self.pool.says()}"
            self._fail(EngineError(f"{said}; start the server, or correct the endpoints in the profile"))
