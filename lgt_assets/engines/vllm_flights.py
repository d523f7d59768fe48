"""Requests under way in one vLLM engine, whoever waits for them; an engine that dies is replaced and its requests go again."""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lgt_assets.engines.base import Completion, Request, RequestFailure
from lgt_assets.engines.image_bytes import ImageUnreadable
from lgt_assets.engines.vllm_model import LoadedVllm
from lgt_assets.engines.vllm_prompts import completion, refusals
from lgt_assets.errors import EngineError

_QUEUED_PER_SLOT = 2
_FEWER_AFTER_DEATH = 8
_MOST_DEATHS = 6
_log = logging.getLogger(__name__)

Result = Completion | RequestFailure


@dataclass(eq=False)
class Flight:
    """One request on its way; its result goes to ``inbox``, which tells whose it is."""

    key: str
    request: Request
    inbox: deque[Result]
    started: float = field(default_factory=time.monotonic)


class Flights:
    """Feeds an engine and hands each result to the inbox of whoever asked; several may wait at once.

    Args:
        load: makes an engine; called with the first request, and again after one died.
    """

    def __init__(self, load: Callable[[], LoadedVllm]) -> None:
        self._load = load
        self._engine: LoadedVllm | None = None
        self._waiting: deque[Flight] = deque()
        self._under_way: dict[str, Flight] = {}
        self._numbers = itertools.count()
        self._limit: int | None = None
        self._deaths = 0
        self._lock = threading.RLock()

    def engine(self) -> LoadedVllm:
        """The engine, loaded if it is not yet.

        Raises:
            EngineError: the model cannot be loaded.
        """
        with self._lock:
            if self._engine is None:
                self._engine = self._load()
            return self._engine

    @property
    def room(self) -> int:
        """Requests that one asker may have on their way: what is decoded, and as many queued behind it."""
        return _QUEUED_PER_SLOT * self.engine().slots

    def submit(self, flight: Flight) -> None:
        """Send a request as soon as there is room."""
        with self._lock:
            self._waiting.append(flight)

    def step(self) -> None:
        """Feed the engine and let it go on; what finishes lies in its inbox then.

        Raises:
            EngineError: the engine dies again and again without finishing anything.
        """
        with self._lock:
            try:
                self._feed()
                for output in self.engine().step() if self._under_way else ():
                    flight = self._under_way.pop(output.request_id, None)
                    if flight is not None:
                        self._deaths = 0
                        flight.inbox.append(completion(flight.key, output, time.monotonic() - flight.started))
            except EngineError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the engine's state is unknown now
                self._replace(error)

    def abandon(self, inbox: deque[Result]) -> None:
        """Forget all requests whose results would go to ``inbox``."""
        with self._lock:
            self._waiting = deque(flight for flight in self._waiting if flight.inbox is not inbox)
            numbers = [number for number, flight in self._under_way.items() if flight.inbox is inbox]
            for number in numbers:
                del self._under_way[number]
            if numbers and self._engine is not None:
                self._engine.abort(numbers)

    def free(self) -> None:
        """End the engine; requests under way are forgotten."""
        with self._lock:
            self._waiting.clear()
            self._under_way.clear()
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.free()

    def _feed(self) -> None:
        engine = self.engine()
        while self._waiting and len(self._under_way) < (self._limit or self.room):
            flight = self._waiting.popleft()
            number = str(next(self._numbers))
            flight.started = time.monotonic()
            self._under_way[number] = flight
            try:
                engine.add(number, flight.request)
            except ImageUnreadable as error:
                self._refuse(number, str(error))
            except refusals() as error:
                advice = "shorten the prompt, lower max_pixels or raise max_model_len if it is too long"
                self._refuse(number, f"vLLM refuses it: {error}; {advice}")

    def _refuse(self, number: str, error: str) -> None:
        flight = self._under_way.pop(number)
        flight.inbox.append(RequestFailure(flight.key, error))

    def _replace(self, error: Exception) -> None:
        """After a death: the next engine gets fewer requests at a time; the one that kills it alone is the culprit."""
        victims = list(self._under_way.values())
        waiting = self._waiting.copy()
        self.free()
        self._deaths += 1
        why = f"{type(error).__name__}: {error}"
        if self._deaths > _MOST_DEATHS:
            raise EngineError(
                f"vLLM died {self._deaths} times without finishing anything: {why}; see its log. {_ADVICE}"
            ) from error
        if len(victims) == 1:
            victims[0].inbox.append(
                RequestFailure(victims[0].key, f"vLLM died of this request alone: {why}. {_ADVICE}")
            )
            victims, self._limit = [], None
        else:
            self._limit = max(1, len(victims) // _FEWER_AFTER_DEATH)
        self._waiting = deque([*victims, *waiting])
        _log.warning(
            "vLLM died (%s) with %d requests under way; it is loaded anew%s. %s",
            why, len(victims), f" and gets {self._limit} at a time" if self._limit else "", _ADVICE,
        )  # fmt: skip


_ADVICE = (
    "Out of GPU memory is the usual cause: lower gpu_memory_utilization (room for pictures and logits), max_num_seqs, "
    "max_pixels or max_model_len."
)
