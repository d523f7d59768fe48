"""A small OpenAI-compatible server over one of our engines, with faults on demand; for tests.

``python -m lgt_assets_tests.engines.openai_test_server --port 0 --model PATH`` prints its address and serves until killed.
Requests that arrive together are answered in one batch.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from lgt_assets.engines.base import (
    Completion,
    Engine,
    ImageReference,
    Message,
    Request,
    RequestFailure,
    Sampling,
    request_key,
)
from lgt_assets.identity import random_of

FAULTS = ("busy", "error", "drop", "garbage", "wrong_model", "slow")


@dataclass(frozen=True)
class Faults:
    """What goes wrong: ``rates`` by fault (shares of all attempts), drawn from ``seed``; never more than ``most`` a request.

    busy: 429 with Retry-After; error: 500; drop: the connection closes mid-body; garbage: 200 with no JSON; wrong_model:
    another model's name; slow: no answer for ``slow_seconds``.
    """

    rates: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    most: int = 3
    retry_after: str = "0.01"
    slow_seconds: float = 5.0


class TestServer:
    """Serves ``engine`` under ``name``; ``counts`` tells what happened, ``bodies`` holds the parsed requests."""

    __test__ = False

    def __init__(self, engine: Engine, name: str, faults: Faults = Faults(), api_key: str = "") -> None:
        self.counts: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.address = ""
        self._engine, self._name, self._faults, self._api_key = engine, name, faults, api_key
        self._at_once = 0
        self._attempts: Counter[str] = Counter()
        self._waiting: asyncio.Queue[tuple[Request, asyncio.Future[Completion | RequestFailure]]] = asyncio.Queue()
        self._images = tempfile.TemporaryDirectory(prefix="openai_test_server")

    async def serve(self, port: int) -> web.AppRunner:
        """Listen on 127.0.0.1; ``address`` is the base address from then on."""
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/chat/completions", self._completions)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/health", self._health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._worker = asyncio.create_task(self._work())
        return runner

    async def _health(self, _http: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _models(self, _http: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self._name, "object": "model"}]})

    async def _completions(self, http: web.Request) -> web.StreamResponse:
        self.counts["requests"] += 1
        self._at_once += 1
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
        """Seeded by the request and its attempt, whatever the order of arrival."""
        self._attempts[key] += 1
        attempt = self._attempts[key]
        if attempt > self._faults.most:
            return ""
        point = random_of(self._faults.seed, key, attempt).random()
        for fault, rate in self._faults.rates:
            if point < rate:
                return fault
            point -= rate
        return ""

    async def _fail(self, fault: str, http: web.Request) -> web.StreamResponse | None:
        if fault == "busy":
            return web.json_response(
                {"error": {"message": "busy"}}, status=429, headers={"Retry-After": self._faults.retry_after}
            )
        if fault == "error":
            return _refusal(500, "internal error")
        if fault == "garbage":
            return web.Response(text="<html>not what you asked for</html>")
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
        self._runner = asyncio.run_coroutine_threadsafe(self.serve(0), self._loop).result()
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


def _write_whole(path: Path, content: bytes) -> None:
    """Write under a name of its own, then rename: a request that comes meanwhile never reads half a picture."""
    handle, partial = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(partial, path)


def read_request(body: dict[str, Any], folder: Path) -> Request:
    """Our Request from a chat completion's body; pictures are written to ``folder`` under their sha256."""
    turns = [_message(turn, folder) for turn in body["messages"]]
    prefix = ""
    if body.get("continue_final_message"):
        if body.get("add_generation_prompt", True):
            raise ValueError("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
        prefix = turns.pop().text
    sampling = Sampling(
        temperature=body.get("temperature", 1.0),
        top_p=body.get("top_p", 1.0),
        top_k=max(0, body.get("top_k", 0)),
        max_tokens=body.get("max_tokens", 16),
        stop=tuple(body.get("stop") or ()),
        include_stop=body.get("include_stop_str_in_output", False),
        bad_words=tuple(body.get("bad_words") or ()),
    )
    return Request(tuple(turns), sampling, seed=body.get("seed", 0), prefix=prefix)


def _message(turn: dict[str, Any], folder: Path) -> Message:
    if isinstance(turn["content"], str):
        return Message(turn["role"], turn["content"])
    text, images = "", []
    for part in turn["content"]:
        if part["type"] == "text":
            text += part["text"]
            continue
        head, _comma, data = part["image_url"]["url"].partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            raise ValueError(f"not a picture's data address: {head[:40]!r}")
        content = base64.b64decode(data, validate=True)
        sha256 = hashlib.sha256(content).hexdigest()
        _write_whole(folder / sha256, content)
        images.append(ImageReference(sha256, str(folder / sha256)))
    return Message(turn["role"], text, tuple(images))


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def main() -> None:
    """Serve a model until the process ends; the first line printed is the base address as JSON."""
    from lgt_assets.engines.hf_transformers import HfTransformersEngine
    from lgt_assets.engines.settings import HfTransformersSettings

    parser = argparse.ArgumentParser(description="OpenAI-compatible test server over the hf_transformers engine.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--served-name", default="embedded")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    for fault in FAULTS:
        parser.add_argument(f"--{fault.replace('_', '-')}", type=float, default=0.0, help="share of attempts")
    options = parser.parse_args()
    rates = tuple((fault, getattr(options, fault)) for fault in FAULTS)
    settings = HfTransformersSettings(model=options.model, batch_size=options.batch_size, threads=options.threads)

    async def run() -> None:
        with HfTransformersEngine(settings) as engine:
            server = TestServer(engine, options.served_name, Faults(rates, options.seed))
            await server.serve(options.port)
            print(json.dumps({"address": server.address}), flush=True)
            await asyncio.Event().wait()

    asyncio.run(run())


if __name__ == "__main__":
    main()
