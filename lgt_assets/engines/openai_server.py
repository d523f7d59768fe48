"""The engine for OpenAI-compatible servers: one aiohttp session, as many requests at once as each server takes."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import uvloop

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure
from lgt_assets.engines.model_identity import model_identity
from lgt_assets.engines.openai_client import ChatClient
from lgt_assets.engines.openai_fleet import Fleet, Resolve, addresses_of
from lgt_assets.engines.openai_wire import Wire
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError

Value = TypeVar("Value")


class OpenaiServerEngine:
    """Sends requests from a background event loop; the caller's thread pulls requests and takes results.

    At most ``in_flight`` requests are under way and as many again (64 at most) stand ready, so that no slot waits for a
    prompt to be rendered; no more are pulled, so memory does not grow with their number. How many each endpoint gets
    is in :mod:`lgt_assets.engines.openai_limit`. Any number of threads may ask, and nested: all share the slots.

    Args:
        settings: of the model and its endpoints.
        resolve: from a host of ``endpoints_dns`` to its addresses.

    Raises:
        EngineError: the variable named by ``api_key_env`` is not set.
    """

    kind = "openai_server"

    def __init__(self, settings: OpenaiServerSettings, resolve: Resolve = addresses_of) -> None:
        self.identity: ModelIdentity = model_identity(
            settings.model,
            revision=settings.revision,
            adapter=settings.adapter,
            chat_template_sha256=settings.chat_template_sha256,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
        )
        self._settings = settings
        self._wire = Wire(settings)
        self._fleet = Fleet(settings, resolve)
        self._client = ChatClient(settings, self.identity, self._wire, self._fleet)
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"OpenaiServerEngine({self.identity.name!r} at {self._fleet})"

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`.

        Closing the iterator cancels what is in flight.

        Raises:
            EngineError: no endpoint answers, or each has the wrong model, key or address; the message names them.
            SettingsError: what should list the endpoints lists something else.
        """
        return self.generate_kept(requests, lambda _result: None)

    def generate_kept(
        self, requests: Iterable[Request], keep: Callable[[Completion | RequestFailure], None]
    ) -> Iterator[Completion | RequestFailure]:
        """The same; see :class:`lgt_assets.engines.base.KeepingEngine`."""
        loop, client = self._started(), self._client
        call = self._on_loop(client.begin(keep))
        pending = iter(requests)
        held = 0

        def pull(most: int) -> int:
            pulled = 0
            for request in islice(pending, most):
                client.waiting.append(client.job(call, request))
                pulled += 1
                if client.hungry:
                    client.hungry = False
                    loop.call_soon_threadsafe(client.dispatch)
            return pulled

        try:
            loop.call_soon_threadsafe(client.dispatch)
            held += pull(self._settings.in_flight + client.most_ready)
            while held:
                results = call.results.get()
                if not any(isinstance(result, BaseException) for result in results):
                    held += pull(len(results)) - len(results)
                for result in results:
                    if isinstance(result, BaseException):
                        raise result
                    yield result
        finally:
            self._on_loop(client.end(call))

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._closed:
                raise EngineError("the engine was closed")
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="openai_server", daemon=True)
                self._thread.start()
            return self._loop

    def _on_loop(self, action: Coroutine[Any, Any, Value]) -> Value:
        """Run ``action`` on the event loop and wait until it is done."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(action, self._loop).result()

    def close(self) -> None:
        """Close the connections and stop the event loop. Closing twice is fine."""
        with self._starting:
            self._closed = True
            if self._loop is None or self._thread is None:
                return
            self._on_loop(self._wire.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None

    def __enter__(self) -> "OpenaiServerEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
