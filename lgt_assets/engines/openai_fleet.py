"""Which endpoints a model has just now: those of the profile, of a file, or behind a name."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from yarl import URL

from lgt_assets.engines.endpoint_settings import EndpointSettings, read_endpoints
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import SettingsError
from lgt_assets.state import state_folder

Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotListed(Exception):
    """The list cannot be had just now: what was known before still holds."""


async def addresses_of(host: str, port: int) -> list[str]:
    """IP addresses (A and AAAA) of a host, each once.

    Raises:
        OSError: the name has none, or nobody answers.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


class Fleet:
    """Where a model's endpoints are listed.

    Args:
        settings: of the engine.
        resolve: from host and port to addresses.

    Attributes:
        changes: whether it is worth looking again.
    """

    def __init__(self, settings: OpenaiServerSettings, resolve: Resolve = addresses_of) -> None:
        self._settings, self._resolve = settings, resolve
        self.changes = not settings.endpoints

    def __str__(self) -> str:
        if self._settings.endpoints_file:
            return str(endpoints_path(self._settings.endpoints_file))
        return self._settings.endpoints_dns or ", ".join(endpoint.address for endpoint in self._settings.endpoints)

    async def listed(self) -> tuple[EndpointSettings, ...]:
        """The endpoints just now.

        Raises:
            NotListed: no file lies there, or the name cannot be resolved.
            SettingsError: the file lists something else than endpoints.
        """
        if self._settings.endpoints_file:
            path = endpoints_path(self._settings.endpoints_file)
            try:
                return read_endpoints(path)
            except FileNotFoundError as error:
                raise NotListed(
                    f"there is no endpoints file {path}; lgt serve writes one, or write it yourself"
                ) from error
        if self._settings.endpoints_dns:
            return await self._behind(URL(self._settings.endpoints_dns))
        return self._settings.endpoints

    async def _behind(self, url: URL) -> tuple[EndpointSettings, ...]:
        try:
            addresses = await self._resolve(url.host or "", url.port or 80)
        except OSError as error:
            raise NotListed(f"{url.host} of endpoints_dns cannot be resolved: {error.strerror or error}") from error
        return tuple(EndpointSettings(address=str(url.with_host(address))) for address in sorted(addresses))


def endpoints_path(file: Path) -> Path:
    """Where ``endpoints_file`` lies: below the state folder where it is relative."""
    return state_folder() / file.expanduser()


def listed_now(settings: OpenaiServerSettings) -> tuple[EndpointSettings, ...]:
    """The endpoints just now, for those who look once.

    Raises:
        SettingsError: they cannot be listed; the message says what to do.
    """
    try:
        return asyncio.run(Fleet(settings).listed())
    except NotListed as error:
        raise SettingsError(str(error)) from error
