"""vLLM in this process: requests stream in, each completion comes out as it ends."""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, islice

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.model_identity import local_folder, model_identity, require_pinned, template_sha256
from lgt_assets.engines.request_order import neighbours_first
from lgt_assets.engines.settings import VllmOfflineSettings
from lgt_assets.engines.vllm_flights import Flight, Flights
from lgt_assets.engines.vllm_model import LoadedVllm
from lgt_assets.errors import EngineError


class VllmOfflineEngine:
    """Keeps vLLM's engine fed from the requests as they come: no completion waits for a slower one.

    Each sample is a request of its own, with its own seed: vLLM's n would give sample i the seed + i, and shares no more
    than the prefix cache does. The model is loaded with the first request.

    Raises:
        EngineError: no model lies at the settings' path.
    """

    kind = "vllm_offline"

    def __init__(self, settings: VllmOfflineSettings) -> None:
        self._settings = settings
        self._flights = Flights(self._load)
        self._closed = False
        local_folder(settings.model)

    @cached_property
    def identity(self) -> ModelIdentity:
        """What names the model in every request's key."""
        settings = self._settings
        require_pinned(settings.model, settings.revision)
        local = local_folder(settings.model) is not None
        return model_identity(
            settings.model,
            revision=settings.revision,
            adapter=settings.adapter,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
            chat_template_sha256="" if local else template_sha256(self._flights.engine().chat_template),
        )

    def _load(self) -> LoadedVllm:
        if self._closed:
            raise EngineError("the engine was closed")
        return LoadedVllm(self._settings)

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`.

        Requests are taken ``look_ahead`` at a time, and ordered so that vLLM's prefix and picture caches are used. What is
        under way when the iterator is closed is aborted. Any number of threads may ask, and nested: all share one engine.
        """
        ordered = neighbours_first(requests, self._settings.look_ahead)
        inbox: deque[Completion | RequestFailure] = deque()
        open_requests = 0
        try:
            for first in islice(ordered, 1):  # only now is the model needed
                ordered = chain([first], ordered)
                open_requests = self._submit(islice(ordered, self._flights.room), inbox)
            while open_requests:
                if not inbox:  # another asker's step may have brought something
                    self._flights.step()
                while inbox:
                    open_requests -= 1
                    yield inbox.popleft()
                open_requests += self._submit(islice(ordered, self._flights.room - open_requests), inbox)
        finally:
            self._flights.abandon(inbox)

    def _submit(self, requests: Iterable[Request], inbox: deque[Completion | RequestFailure]) -> int:
        """Send requests; how many."""
        flights = [Flight(request_key(self.identity, request), request, inbox) for request in requests]
        for flight in flights:
            self._flights.submit(flight)
        return len(flights)

    def close(self) -> None:
        """End vLLM and free the GPU's memory. Closing twice is fine."""
        self._closed = True
        self._flights.free()

    def __enter__(self) -> "VllmOfflineEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
