"""Gets pictures from web addresses: only what the policy allows, each hop checked anew, in pieces that stop at the limit.

aiohttp runs in a thread of its own, so that connections are kept and its resolver decides which numbers are connected to;
:mod:`.addresses` says what may be asked.
"""

import asyncio
from threading import Lock, Thread

import aiohttp

from lgt_assets.sources.addresses import Address, FetchPolicy, check_address, check_size, next_hop
from lgt_assets.sources.checked_resolver import CheckedResolver
from lgt_assets.sources.records import RowRejected

# Seconds before the second and the third attempt.
WAITS = (0.5, 2.0)
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=30)
_PIECE = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {408, 429, 500, 502, 503, 504}


class _Busy(Exception):
    """The server may answer another time."""


class WebPictures:
    """A client for one addition. Threads may share it."""

    def __init__(self, policy: FetchPolicy, connections: int = 16) -> None:
        self._policy, self._connections = policy, connections
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._session: aiohttp.ClientSession | None = None

    def fetch(self, text: str) -> bytes:
        """The bytes at an address; waits until they are here.

        Raises:
            RowRejected: ``unsafe_address``: the policy refuses it, or where it redirects to; ``image_too_large``;
                ``missing_file``: the server has no such thing; ``fetch_failed``: it did not answer, after three attempts.
        """
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._loop.run_forever, name="web-pictures", daemon=True)
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._with_retries(text), self._loop).result()

    def close(self) -> None:
        """Close the connections, and end the thread."""
        if self._loop is None or self._thread is None:
            return
        if self._session is not None:
            asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = self._session = None

    async def _with_retries(self, text: str) -> bytes:
        address = check_address(text, self._policy)
        said = ""
        for wait in (*WAITS, None):
            try:
                return await self._follow(address)
            except (aiohttp.ClientError, TimeoutError, OSError, _Busy) as error:
                said = str(error) or type(error).__name__
            if wait is not None:
                await asyncio.sleep(wait)
        raise RowRejected(
            "fetch_failed", "image", f"{address.shown} cannot be fetched ({said}); add the source again later"
        )

    async def _follow(self, address: Address) -> bytes:
        hops = 0
        while True:
            session = self._open_session()
            async with session.get(address.text, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status in _REDIRECTS and location is not None:
                    address, hops = next_hop(address, location, hops, self._policy), hops + 1
                    continue
                if response.status in _BUSY:
                    raise _Busy(f"status {response.status}")
                if response.status != 200:
                    raise RowRejected(
                        "missing_file",
                        "image",
                        f"{address.shown} answers with status {response.status}; check the address",
                    )
                check_size(address, response.headers.get("Content-Length"), self._policy)
                content = bytearray()
                async for piece in response.content.iter_chunked(_PIECE):
                    content += piece
                    check_size(address, len(content), self._policy)
                return bytes(content)

    def _open_session(self) -> aiohttp.ClientSession:
        """The session, made in the loop's own thread. It believes no proxy of the environment, and unpacks nothing."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=CheckedResolver(self._policy), use_dns_cache=False, limit=self._connections
            )  # fmt: skip
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=_TIMEOUT, trust_env=False, auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(), headers={"Accept-Encoding": "identity", "User-Agent": "lgt_assets"},
            )  # fmt: skip
        return self._session
