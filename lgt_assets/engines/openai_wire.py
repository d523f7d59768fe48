"""The HTTP side of one attempt: what an endpoint's reply, or its silence, means for the request and for the endpoint."""

import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from pydantic import SecretStr

from lgt_assets.engines.openai_endpoint import Endpoint
from lgt_assets.engines.openai_protocol import (
    Answer,
    GarbageAnswer,
    WithheldAnswer,
    WrongServer,
    error_message,
    is_out_of_quota,
    read_answer,
    read_models,
)
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError

_BUSY = frozenset({429, 503, 529})
_PASSING = frozenset({408, 409, 425})
_NO_LIST = frozenset({404, 405, 501})
_SET_UP = {
    301: "it redirects: correct the endpoint's address", 302: "it redirects: correct the endpoint's address",
    307: "it redirects: correct the endpoint's address", 308: "it redirects: correct the endpoint's address",
    401: "it wants a key: name the variable that holds it in api_key_env",
    402: "the account is spent: pay, or ask another endpoint",
    403: "the key may not use it: check api_key_env and the account's rights",
    404: "it has no such model or address: the endpoint must end in /v1 and serve the model (see its /v1/models)",
}  # fmt: skip
_REFUSED = {
    400: "too long a prompt needs a shorter caption, fewer pixels or a server with a larger --max-model-len;"
    " fields it does not know need dialect: openai",
    413: "set max_pixels, or raise the size of bodies that the server takes",
    422: "fields it does not know need dialect: openai",
}
_CONNECT_SECONDS = 10.0
_PROBE_SECONDS = 10.0
_KEEP_IDLE_SECONDS = 4.0  # uvicorn hangs up after 5: a connection about to close must not be given a request
_LARGE_BODY_BYTES = 1 << 20  # aiohttp wants such bodies as files, which it sends in pieces
_LEAST_KEY_IN_TEXT = 12  # a shorter "key" (EMPTY, none) is a word that an answer may well contain


@dataclass(frozen=True)
class Busy:
    """The endpoint wants fewer requests, or none for ``seconds``; no fault of the request's."""

    error: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Fault:
    """The attempt failed and another may succeed."""

    error: str
    unreachable: bool = False
    timed_out: bool = False


@dataclass(frozen=True)
class Refusal:
    """The request will not be answered, however often it is sent."""

    error: str


class Wire:
    """One aiohttp session for all endpoints; used from one event loop.

    Raises:
        EngineError: the variable named by ``api_key_env`` is not set, or holds what no header can.
    """

    def __init__(self, settings: OpenaiServerSettings) -> None:
        self._served_model = settings.served_model or settings.model
        self._names = frozenset({self._served_model})
        self._key = SecretStr(_key_of(settings.api_key_env))
        self._longest = aiohttp.ClientTimeout(total=settings.timeout_seconds, sock_connect=_CONNECT_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, endpoint: Endpoint, body: bytes, seconds: float, names: frozenset[str] | None
    ) -> Answer | Busy | Fault | Refusal:
        """One attempt that may take ``seconds``.

        Raises:
            EngineError: no request can succeed there: the key, the address, the model or the server's set-up is wrong.
        """
        total = self._longest.total or seconds
        timeout = self._longest if seconds >= total else aiohttp.ClientTimeout(seconds, sock_connect=_CONNECT_SECONDS)
        data = body if len(body) < _LARGE_BODY_BYTES else io.BytesIO(body)
        try:
            response = await self._opened().post(
                endpoint.completions, data=data, timeout=timeout, allow_redirects=False
            )
            content = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            return self._silence(error, min(seconds, total))
        content = self._scrubbed(content, response.status)
        if response.status != 200:
            return self._judge_status(endpoint, response.status, response.headers.get("Retry-After", ""), content)
        try:
            return read_answer(content, names or self._names)
        except GarbageAnswer as error:
            return Fault(str(error))
        except WithheldAnswer as error:
            return Refusal(str(error))
        except WrongServer as error:
            raise EngineError(f"{endpoint}: {error}") from error

    async def models(self, endpoint: Endpoint) -> frozenset[str] | Fault:
        """Ask /v1/models whether the endpoint is there and serves the model; the model's names, or what is wrong for now.

        Raises:
            EngineError: it serves other models, or will not take the key.
        """
        timeout = aiohttp.ClientTimeout(_PROBE_SECONDS, sock_connect=_CONNECT_SECONDS)
        try:
            response = await self._opened().get(endpoint.models, timeout=timeout, allow_redirects=False)
            content = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            return self._silence(error, _PROBE_SECONDS)
        content = self._scrubbed(content, response.status)
        if response.status in _NO_LIST:
            return self._names  # not every service has the list; each answer still names its model
        if response.status != 200:
            outcome = self._judge_status(endpoint, response.status, "", content)
            return Fault(outcome.error)
        try:
            return read_models(content, self._served_model)
        except GarbageAnswer as error:
            return Fault(str(error))
        except WrongServer as error:
            raise EngineError(f"{endpoint}: {error}") from error

    @staticmethod
    def _silence(error: Exception, seconds: float) -> Fault:
        """What an exception in place of a reply means; its text may hold headers, so only what is known not to is used."""
        if isinstance(error, aiohttp.ClientConnectorError):
            return Fault(
                f"cannot be reached ({error.os_error.strerror or type(error.os_error).__name__})", unreachable=True
            )
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return Fault(f"cannot be reached within {_CONNECT_SECONDS:.0f} s", unreachable=True)
        if isinstance(error, TimeoutError):
            return Fault(f"did not answer within {seconds:.1f} s", timed_out=True)
        return Fault(f"dropped the connection ({type(error).__name__})")

    @staticmethod
    def _judge_status(endpoint: Endpoint, status: int, retry_after: str, content: bytes) -> Busy | Fault | Refusal:
        message = f"answered {status}: {error_message(content)}"
        if status == 429 and is_out_of_quota(content):
            raise EngineError(f"{endpoint} {message}; {_SET_UP[402]}")
        if status in _SET_UP:
            raise EngineError(f"{endpoint} {message}; {_SET_UP[status]}")
        if status in _BUSY:
            return Busy(message, seconds_of(retry_after))
        if status in _PASSING or status >= 500:
            return Fault(message)
        return Refusal(f"{message}; {_REFUSED.get(status, 'change the prompt or the role’s sampling')}")

    def _scrubbed(self, content: bytes, status: int) -> bytes:
        """Servers may quote the key, in errors or (told to by a prompt) in answers; it must not travel on."""
        key = self._key.get_secret_value().encode()
        if not key or (status == 200 and len(key) < _LEAST_KEY_IN_TEXT):
            return content
        return content.replace(key, b"***")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            key = self._key.get_secret_value()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    **({"Authorization": f"Bearer {key}"} if key else {}),
                },
                skip_auto_headers=("Accept-Encoding",),
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _key_of(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise EngineError(
            f"the environment variable {variable} (api_key_env) is not set; put the endpoint's key into it"
        )
    if not (key.isascii() and key.isprintable()):
        raise EngineError(
            f"the environment variable {variable} (api_key_env) holds no key: it has unprintable characters"
        )
    return key


def seconds_of(retry_after: str) -> float:
    """Seconds a Retry-After header asks to wait (a number or an HTTP date); 0 if it says nothing sensible."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return seconds if 0.0 < seconds < float("inf") else 0.0
