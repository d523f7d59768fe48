"""A web server on this machine for tests of fetching: pictures, redirects, answers that are too large, slow or busy."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from aiohttp import web

from lgt_assets_tests.sources.pictures import plain_bytes


class PictureServer:
    """Runs in a thread; ``asked`` counts requests by path."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.port = 0
        self.runner: web.AppRunner | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked[path] += 1
        if path.startswith("/picture/"):
            return web.Response(body=plain_bytes(int(path.rpartition("/")[2])), content_type="text/html")
        if path.startswith("/to/"):
            raise web.HTTPFound(request.query["address"])
        if path == "/around":
            raise web.HTTPMovedPermanently("/around")
        if path == "/busy-once" and self.asked[path] > 1:
            return web.Response(body=plain_bytes(50))
        if path in ("/busy-once", "/busy"):
            return web.Response(status=503)
        if path == "/large-and-says-so":
            return web.Response(body=b"x" * (3 * 2**20))
        if path == "/large":
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            for _ in range(64):
                await response.write(b"x" * 2**16)
            return response
        return web.Response(status=404)

    def run(self, started: Event, loop: asyncio.AbstractEventLoop) -> None:
        async def start() -> None:
            application = web.Application()
            application.router.add_get("/{path:.*}", self.answer)
            self.runner = web.AppRunner(application)
            await self.runner.setup()
            site = web.TCPSite(self.runner, "127.0.0.1", 0)
            await site.start()
            self.port = site._server.sockets[0].getsockname()[1]
            started.set()

        loop.run_until_complete(start())
        loop.run_forever()


@contextmanager
def serving() -> Iterator[PictureServer]:
    """A server while the block runs."""
    server, started, loop = PictureServer(), Event(), asyncio.new_event_loop()
    thread = Thread(target=server.run, args=(started, loop), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
