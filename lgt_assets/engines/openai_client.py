"""One request to a server, with all its attempts: which endpoint, how long to wait, when to give up."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.image_bytes import ImageUnreadable
from lgt_assets.engines.openai_protocol import (
    BodyBuilder,
    GarbageAnswer,
    UnsupportedRequest,
    WrongModel,
    error_message,
    read_answer,
)
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError
from lgt_assets.identity import random_of

_RETRIED = frozenset({408, 409, 425, 429})
_REFUSED = {
    401: "it wants a key: name the variable that holds it in api_key_env",
    403: "the key may not use it: check api_key_env and the account's rights",
    404: "it has no such model or address: the endpoint must end in /v1 and serve the model (see its /v1/models)",
}


@dataclass(frozen=True)
class _TryAgain:
    """An attempt that failed and may succeed later; ``seconds`` is what the server asked to wait."""

    error: str
    seconds: float = 0.0
    unreachable: bool = False


class ChatClient:
    """Sends requests from one event loop; endpoints take turns, and one that failed rests while others answer."""

    def __init__(self, settings: OpenaiServerSettings, identity: ModelIdentity, api_key: str) -> None:
        self._settings = settings
        self._identity = identity
        self._api_key = api_key
        self._served_model = settings.served_model or settings.model
        limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
        set_limits = {name: value for name, value in limits.items() if value is not None}
        self._builder = BodyBuilder(self._served_model, settings.dialect, set_limits)
        self._session: aiohttp.ClientSession | None = None
        self._turn = 0
        self._rests_until = dict.fromkeys(settings.endpoints, 0.0)
        self._unreachable_in_a_row = 0

    async def answer(self, request: Request) -> Completion | RequestFailure:
        """Send a request until it is answered, refused for good, or out of attempts or time.

        Raises:
            EngineError: no request can succeed: the key or the address is wrong, another model answers, or nobody does.
        """
        key = request_key(self._identity, request)
        started = time.monotonic()
        try:
            body = self._builder.build(request)
        except (ImageUnreadable, UnsupportedRequest) as error:
            return RequestFailure(key, str(error))
        last, attempt = "", 0
        while (
            attempt < self._settings.attempts
            and (left := started + self._settings.deadline_seconds - time.monotonic()) > 0
        ):
            attempt += 1
            endpoint = self._next_endpoint()
            outcome = await self._attempt(endpoint, body, min(left, self._settings.timeout_seconds))
            if isinstance(outcome, dict):
                self._unreachable_in_a_row = 0
                return Completion(key, **outcome, seconds=time.monotonic() - started)
            if isinstance(outcome, str):
                return RequestFailure(key, f"{endpoint} {outcome}")
            last = f"{endpoint} {outcome.error}"
            self._rests_until[endpoint] = time.monotonic() + self._settings.backoff_base_seconds
            if attempt < self._settings.attempts:
                left = started + self._settings.deadline_seconds - time.monotonic()
                await asyncio.sleep(max(0.0, min(left, self._wait(key, attempt, outcome.seconds))))
            elif outcome.unreachable:
                self._count_unreachable(last)
        return RequestFailure(key, f"{last} (gave up after {attempt} attempts in {time.monotonic() - started:.0f} s)")

    def _count_unreachable(self, last: str) -> None:
        """As many requests in a row as may be in flight, and nobody there: the rest need not wait for the same."""
        self._unreachable_in_a_row += 1
        if self._unreachable_in_a_row >= self._settings.in_flight:
            raise EngineError(f"no endpoint answers: {last}; start the server, or correct the endpoints in the profile")

    def _wait(self, key: str, attempt: int, asked_for: float) -> float:
        """Seconds until the next attempt: exponential with jitter, and no less than the server asked for."""
        most = min(self._settings.backoff_cap_seconds, self._settings.backoff_base_seconds * 2 ** (attempt - 1))
        return max(asked_for, most * (0.5 + random_of(key, "attempt", attempt).random() / 2))

    def _next_endpoint(self) -> str:
        """The next in turn that does not rest; if all do, the one that rests least."""
        endpoints = self._settings.endpoints
        self._turn += 1
        order = [endpoints[(self._turn + offset) % len(endpoints)] for offset in range(len(endpoints))]
        now = time.monotonic()
        return min(order, key=lambda endpoint: max(0.0, self._rests_until[endpoint] - now))

    async def _attempt(self, endpoint: str, body: bytes, seconds: float) -> dict[str, Any] | str | _TryAgain:
        """A completion's fields, or the reason why it is refused, or why to try again."""
        try:
            async with self._opened().post(
                f"{endpoint}/chat/completions", data=body, timeout=aiohttp.ClientTimeout(total=seconds)
            ) as response:
                status, retry_after, content = (
                    response.status,
                    response.headers.get("Retry-After", ""),
                    await response.read(),
                )
        except TimeoutError:
            return _TryAgain(f"did not answer within {seconds:.0f} s")
        except aiohttp.ClientConnectorError as error:
            return _TryAgain(f"cannot be reached ({error.os_error})", unreachable=True)
        except (aiohttp.ClientError, ConnectionError) as error:
            return _TryAgain(f"dropped the connection ({type(error).__name__})")
        if status == 200:
            return self._judge(endpoint, content)
        message = f"answered {status}: {self._without_key(error_message(content))}"
        if status in _REFUSED:
            raise EngineError(f"{endpoint} {message}; {_REFUSED[status]}")
        if status in _RETRIED or status >= 500:
            return _TryAgain(message, _seconds_of(retry_after))
        return message

    def _judge(self, endpoint: str, content: bytes) -> dict[str, Any] | _TryAgain:
        try:
            return read_answer(content, self._served_model)
        except GarbageAnswer as error:
            return _TryAgain(self._without_key(str(error)))
        except WrongModel as error:
            raise EngineError(
                f"{endpoint}: {error}; set served_model to the name it goes by, or correct the endpoint"
            ) from error

    def _without_key(self, message: str) -> str:
        """Servers may quote the key in an error; it must not travel on."""
        return message.replace(self._api_key, "***") if self._api_key else message

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json"}
            if self._api_key:
                headers["Authorization"] = f"Bearer {self._api_key}"
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers)
        return self._session

    async def close(self) -> None:
        """Close the session's connections."""
        if self._session is not None:
            await self._session.close()


def _seconds_of(retry_after: str) -> float:
    """Seconds a Retry-After header asks to wait (a number or a date); 0 if it says nothing sensible."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
