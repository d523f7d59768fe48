"""A small OpenAI-compatible server over one of our engines, with faults on demand; for tests.

``python -m lgt_assets_tests.engines.openai_test_server --port 0 --model PATH`` prints its address and serves until killed;
with ``--scripted`` it repeats what it is asked instead. Requests that arrive together are answered in one batch.
"""

import argparse
import asyncio
import json
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web

from lgt_assets.engines.base import (
    Completion,
    Engine,
    Request,
    RequestFailure,
    request_key,
)
from lgt_assets.engines.hf_transformers import HfTransformersEngine
from lgt_assets.engines.scripted import ScriptedEngine
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets_tests.engines.openai_test_bodies import read_request
from lgt_assets_tests.engines.openai_test_faults import FAULTS, GARBAGE, NO_FAULTS, NO_LOAD, Faults, Load


class TestServer:
    """Serves ``engine`` under ``name``; ``counts`` tells what happened, ``bodies`` holds the parsed requests.

    ``arrivals`` are the times of all attempts. ``load`` may be changed while it serves.
    """

    __test__ = False

    def __init__(
        self, engine: Engine, name: str, faults: Faults = NO_FAULTS, api_key: str = "", load: Load = NO_LOAD,
        host: str = "127.0.0.1", port: int = 0,
    ) -> None:  # fmt: skip
        self.load = load
        self._host, self._port = host, port
        self.counts: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.arrivals: list[float] = []
        self.address = ""
        self._engine, self._name, self._faults, self._api_key = engine, name, faults, api_key
        self._at_once = 0
        self._attempts: Counter[str] = Counter()
        self._waiting: asyncio.Queue[tuple[Request, asyncio.Future[Completion | RequestFailure]]] = asyncio.Queue()
        self._images = tempfile.TemporaryDirectory(prefix="openai_test_server")

    async def serve(self, port: int) -> web.AppRunner:
        """Listen on this machine; ``address`` is the base address from then on."""
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/chat/completions", self._completions)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/health", self._health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self._host, port)
        await site.start()
        self.address = f"http://{self._host}:{runner.addresses[0][1]}/v1"
        self._worker = asyncio.create_task(self._work())
        return runner

    async def _health(self, _http: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _models(self, _http: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self._name, "object": "model"}]})

    async def _completions(self, http: web.Request) -> web.StreamResponse:
        self.counts["requests"] += 1
        self._at_once += 1
        self.arrivals.append(time.monotonic())
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._respond(http)
        finally:
            self._at_once -= 1

    async def _respond(self, http: web.Request) -> web.StreamResponse:
        if self._api_key and http.headers.get("Authorization") != f"Bearer {self._api_key}":
            return _refusal(401, f"Incorrect API key provided: {http.headers.get('Authorization')}")
        body = await http.json()
        self.bodies.append(body)
        if self._at_once > self.load.capacity and self.load.refuses:
            self.counts["refused"] += 1
            return _busy(self._faults.retry_after)
        if self.load.seconds:
            await asyncio.sleep(self.load.delay(self._at_once))
        if body["model"] != self._name:
            return _refusal(404, f"The model `{body['model']}` does not exist.")
        try:
            request = read_request(body, Path(self._images.name))
        except ValueError as error:
            return _refusal(400, str(error))
        key = request_key(self._engine.identity, request)
        fault = self._fault(key)
        if fault:
            self.counts[fault] += 1
            response = await self._fail(fault, http)
            if response is not None:
                return response
        future: asyncio.Future[Completion | RequestFailure] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((request, future))
        result = await future
        if isinstance(result, RequestFailure):
            return _refusal(400, result.error)
        self.counts["answered"] += 1
        self.answered[key] += 1
        return web.json_response(self._answer(result, self._name if fault != "wrong_model" else "another-model"))

    def _fault(self, key: str) -> str:
        self._attempts[key] += 1
        return self._faults.drawn(key, self._attempts[key])

    async def _fail(self, fault: str, http: web.Request) -> web.StreamResponse | None:
        if fault == "busy":
            return _busy(self._faults.retry_after)
        if fault == "error":
            return _refusal(500, "internal error")
        if fault in GARBAGE:
            return web.Response(text=GARBAGE[fault])
        if fault == "drop":
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            await response.prepare(http)
            await response.write(b'{"choices": [')
            assert http.transport is not None
            http.transport.close()
            return response
        if fault == "slow":
            await asyncio.sleep(self._faults.slow_seconds)
        return None

    async def _work(self) -> None:
        """Answer what waits in one call of the engine, then what came meanwhile."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self.counts["batches"] += 1
            results = await asyncio.to_thread(self._generate, [request for request, _future in batch])
            for request, future in batch:
                if not future.done():
                    future.set_result(results[request_key(self._engine.identity, request)])

    def _generate(self, requests: list[Request]) -> dict[str, Completion | RequestFailure]:
        distinct = {request_key(self._engine.identity, request): request for request in requests}
        return {result.request_key: result for result in self._engine.generate(distinct.values())}

    def _answer(self, completion: Completion, name: str) -> dict[str, Any]:
        usage = {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "total_tokens": completion.prompt_tokens + completion.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": completion.cached_tokens},
        }
        message = {"role": "assistant", "content": completion.text}
        choice = {"index": 0, "message": message, "finish_reason": completion.finish_reason}
        return {
            "id": completion.request_key[:16],
            "object": "chat.completion",
            "model": name,
            "choices": [choice],
            "usage": usage,
        }

    def __enter__(self) -> "TestServer":
        """Serve from a thread of its own until the block ends."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self.serve(self._port), self._loop).result()
        return self

    def __exit__(self, *exception: object) -> None:
        async def stop() -> None:
            self._worker.cancel()
            await self._runner.cleanup()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._images.cleanup()


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def _busy(retry_after: str) -> web.Response:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response({"error": {"message": "busy"}}, status=429, headers=headers)


def _engine(options: argparse.Namespace) -> ScriptedEngine | HfTransformersEngine:
    if options.scripted:
        return ScriptedEngine(lambda asked: asked.messages[-1].text, batch_size=64)
    settings = HfTransformersSettings(model=options.model, batch_size=options.batch_size, threads=options.threads)
    return HfTransformersEngine(settings)


def main() -> None:
    """Serve a model until the process ends; the first line printed is the base address as JSON."""
    parser = argparse.ArgumentParser(description="OpenAI-compatible test server over the hf_transformers engine.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--scripted", action="store_true", help="no model: repeat the prompt's last message")
    parser.add_argument("--served-name", default="embedded")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    for fault in FAULTS:
        parser.add_argument(f"--{fault.replace('_', '-')}", type=float, default=0.0, help="share of attempts")
    options = parser.parse_args()
    rates = tuple((fault, getattr(options, fault)) for fault in FAULTS)

    async def run() -> None:
        with _engine(options) as engine:
            server = TestServer(engine, options.served_name, Faults(rates, options.seed))
            await server.serve(options.port)
            print(json.dumps({"address": server.address}), flush=True)
            await asyncio.Event().wait()

    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a child inherits that its parent ignores it
    asyncio.run(run())


if __name__ == "__main__":
    main()
