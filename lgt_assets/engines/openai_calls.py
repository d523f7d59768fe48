"""What a server's client has in hand: calls of ``generate``, and their requests on the way through all their attempts."""

import asyncio
import queue
from collections.abc import Callable

from lgt_assets.engines.base import Completion, Request, RequestFailure
from lgt_assets.engines.openai_endpoint import Endpoint

_TOGETHER_SECONDS = 0.01


class Call:
    """One ``generate``: where its results go, some at a time, and what is under way for it.

    Args:
        keep: given each result, on the event loop, before its slot takes another request.
    """

    __slots__ = ("_fresh", "_soon", "closed", "is_sending", "keep", "results", "tasks")

    def __init__(self, keep: Callable[[Completion | RequestFailure], None]) -> None:
        self.results: queue.SimpleQueue[list[Completion | RequestFailure | BaseException]] = queue.SimpleQueue()
        self._fresh: list[Completion | RequestFailure | BaseException] = []
        self._soon = False
        self.tasks: set[asyncio.Task[None]] = set()
        self.keep = keep
        self.closed = False
        self.is_sending = True  # until a result cannot be kept: what is sent after that would be paid for nothing

    def put(self, result: Completion | RequestFailure | BaseException, *, soon: bool = True) -> None:
        """Hand over a result together with others, since each change of threads costs a fifth of a request.

        Args:
            result: one request's, or what ends the call.
            soon: with those of this turn of the loop; else with those of :data:`_TOGETHER_SECONDS`, if that comes first.
        """
        self._fresh.append(result)
        if soon and not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._hand_over)
        elif len(self._fresh) == 1:
            asyncio.get_running_loop().call_later(_TOGETHER_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        self._soon = False
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            self.results.put(fresh)


class Job:
    """A request on its way, through all its attempts."""

    __slots__ = ("attempts", "avoided", "call", "deadline", "done", "error", "expiry", "key", "request")

    def __init__(self, call: Call, request: Request, key: str) -> None:
        self.call, self.request, self.key = call, request, key
        self.attempts, self.error = 0, ""
        self.deadline, self.done = 0.0, False
        self.avoided: Endpoint | None = None
        self.expiry: asyncio.TimerHandle | None = None
