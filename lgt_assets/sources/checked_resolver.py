"""A resolver for aiohttp that hands out public addresses only, and so pins them: the connection goes to what was checked."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from lgt_assets.sources.addresses import FetchPolicy, check_resolved


class CheckedResolver(AbstractResolver):
    """Resolves by another resolver, and refuses a name as soon as one of its addresses may not be reached.

    Use it as ``aiohttp.TCPConnector(resolver=CheckedResolver(policy), use_dns_cache=False)`` in a session with
    ``trust_env=False``, requests with ``allow_redirects=False``. aiohttp asks no resolver about hosts that are numbers:
    :func:`lgt_assets.sources.addresses.check_address` has judged those.
    """

    def __init__(self, policy: FetchPolicy, resolver: AbstractResolver | None = None):
        self._policy = policy
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of ``host``.

        Raises:
            OSError: it cannot be resolved.
            RowRejected: one of its addresses may not be reached.
        """
        found = await self._resolver.resolve(host, port, family)
        numbers = check_resolved(host, [result["host"] for result in found], self._policy)
        return [result | {"host": str(number)} for result, number in zip(found, numbers, strict=True)]

    async def close(self) -> None:
        """Close the resolver behind."""
        await self._resolver.close()
