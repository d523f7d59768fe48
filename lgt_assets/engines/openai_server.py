"""The engine for OpenAI-compatible servers: one aiohttp session, bounded in flight, retries, several endpoints."""

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure
from lgt_assets.engines.model_identity import model_identity
from lgt_assets.engines.openai_client import ChatClient
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError

_Result = Completion | RequestFailure | BaseException
_QUEUED_PER_SLOT = 2


class OpenaiServerEngine:
    """Sends requests from a background event loop; the caller's thread pulls requests and takes results.

    At most ``in_flight`` requests are under way and as many wait, so memory does not grow with their number.

    Raises:
        EngineError: the variable named by ``api_key_env`` is not set.
    """

    kind = "openai_server"

    def __init__(self, settings: OpenaiServerSettings) -> None:
        self.identity: ModelIdentity = model_identity(
            settings.model,
            revision=settings.revision,
            adapter=settings.adapter,
            chat_template_sha256=settings.chat_template_sha256,
            min_pixels=settings.min_pixels,
            max_pixels=settings.max_pixels,
        )
        self._settings = settings
        self._key = ""
        if settings.api_key_env:
            self._key = os.environ.get(settings.api_key_env, "")
            if not self._key:
                raise EngineError(
                    f"the environment variable {settings.api_key_env} (api_key_env) is not set; put the endpoint's key into it"
                )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: ChatClient | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"OpenaiServerEngine({self.identity.name!r} at {', '.join(self._settings.endpoints)})"

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion | RequestFailure]:
        """Answer each request once; see :class:`lgt_assets.engines.base.Engine`.

        Closing the iterator cancels what is in flight.
        """
        loop, client = self._started()
        results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        tasks: set[asyncio.Task[None]] = set()
        slots = asyncio.Semaphore(self._settings.in_flight)

        async def answer(request: Request) -> None:
            try:
                async with slots:
                    results.put(await client.answer(request))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
                results.put(error)

        def start(request: Request) -> None:
            task = loop.create_task(answer(request))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        pending, waiting = iter(requests), 0
        try:
            for request in islice(pending, _QUEUED_PER_SLOT * self._settings.in_flight):
                loop.call_soon_threadsafe(start, request)
                waiting += 1
            while waiting:
                result = results.get()
                waiting -= 1
                if isinstance(result, BaseException):
                    raise result
                for request in islice(pending, 1):
                    loop.call_soon_threadsafe(start, request)
                    waiting += 1
                yield result
        finally:
            self._on_loop(loop, lambda: [task.cancel() for task in tasks])

    def _started(self) -> tuple[asyncio.AbstractEventLoop, ChatClient]:
        if self._closed:
            raise EngineError("the engine was closed")
        if self._loop is None or self._client is None:
            self._loop = asyncio.new_event_loop()
            self._client = ChatClient(self._settings, self.identity, self._key)
            self._thread = threading.Thread(target=self._loop.run_forever, name="openai_server", daemon=True)
            self._thread.start()
        return self._loop, self._client

    @staticmethod
    def _on_loop(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
        """Run ``action`` on the event loop and wait until it is done."""

        async def run() -> None:
            action()

        asyncio.run_coroutine_threadsafe(run(), loop).result()

    def close(self) -> None:
        """Close the connections and stop the event loop. Closing twice is fine."""
        self._closed = True
        if self._loop is None or self._client is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._client = self._thread = None

    def __enter__(self) -> "OpenaiServerEngine":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
