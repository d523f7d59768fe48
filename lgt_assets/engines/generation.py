"""Asking a model for all that a shard's asset needs, and for nothing that is stored already, while others read the answers.

A thread of its own plans and generates, and journals if the engine does not; the caller takes answers in the order of
planning, parses and writes. What was answered far ahead of its turn waits on disk, in the journal.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from lgt_assets.engines.base import (
    Completion,
    Engine,
    KeepingEngine,
    Request,
    RequestFailure,
    request_key,
)
from lgt_assets.engines.completion_records import rendered_prompt
from lgt_assets.engines.key_index import KeySet
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.errors import EngineError, RequestsFailedError
from lgt_assets.spool import Spool, SpooledQueue

Item = TypeVar("Item")
OnProgress = Callable[[int, int, bool], None]
_AHEAD = 4096  # answered requests that may wait for a slow reader before planning pauses
_TAKEN_AT_ONCE = 64
_TOLD_SECONDS = 0.2
_LOOKED_SECONDS = (
    0.05  # the reader looks this often; it is woken only for _TAKEN_AT_ONCE answers, as each wake-up costs
)
_SHOWN_FAILURES = 3
_STOP_SECONDS = 10.0


@dataclass
class Usage:
    """What requests took; sums over several askings add up.

    Attributes:
        requests_sent: distinct requests that went to the engine; requests_failed: of those, without a completion.
        requests_reused: distinct requests answered from the store.
        prompt_tokens, cached_tokens, completion_tokens: of the requests sent.
        seconds: wall time from the first request planned to the last answer taken.
        device_seconds: time in which the engine had at least one request, times its devices.
    """

    requests_sent: int = 0
    requests_reused: int = 0
    requests_failed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    device_seconds: float = 0.0


class Reply(NamedTuple, Generic[Item]):
    """A wanted item with the key of its request, and its completion."""

    request_key: str
    completion: Completion
    item: Item


class Asking(Generic[Item]):
    """The requests of one asset and role, asked once; iterate over it for replies in the order of ``wanted``.

    Args:
        engine: asked once for each distinct request that is not stored; used by one thread, which is not the caller's.
        store: of the requests' shard.
        wanted: requests, each with what it is for; read as answers come, equal requests are one.
        asset, role: recorded as who paid.
        usage: added to.
        failures: given a row (role, model, request_key, error, prompt, prefix, sample_index) for each failed request.
        maximum_failure_share: up to this share of distinct requests may fail; their items are left out.
        devices: that the engine occupies, for device_seconds.
        on_progress: called by the caller's thread, now and then and at the end, with (answered, planned, whether that is all).

    Raises (while iterating):
        RequestsFailedError: more failed, after every retry; what was completed is stored.
        EngineError: the engine cannot answer at all.
        StorageError: completions cannot be stored.
    """

    def __init__(
        self, engine: Engine, store: ResponseStore, wanted: Iterable[tuple[Request, Item]], *, asset: str, role: str,
        usage: Usage | None = None, failures: Spool | None = None, maximum_failure_share: float = 0.0, devices: int = 1,
        on_progress: OnProgress | None = None,
    ) -> None:  # fmt: skip
        self._engine, self._store, self._wanted = engine, store, wanted
        self._asset, self._role, self._devices = asset, role, devices
        self._usage = usage if usage is not None else Usage()
        self._failures = failures if failures is not None else Spool()
        self._maximum_failure_share = maximum_failure_share
        self._on_progress = on_progress or (lambda _done, _planned, _all: None)
        self._told_at = 0.0
        self._changed = threading.Condition()
        self._queue = SpooledQueue()  # of (key, item), in the order of planning
        self._in_flight: dict[str, Request] = {}
        self._failed: dict[str, str] = {}
        self._seen = KeySet()
        self._planned = self._answered = self._since_woken = 0
        self._busy_since = 0.0
        self._finished = self._stopping = False
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[Reply[Item]]:
        started = time.monotonic()
        worker = threading.Thread(target=self._work, name=f"{self._asset} {self._role}", daemon=True)
        worker.start()
        try:
            while taken := self._take():
                for key, item in taken:
                    if key not in self._failed:
                        yield Reply(key, self._store[key], item)
            self._judge()
        finally:
            with self._changed:
                self._stopping = True
                self._changed.notify_all()
            worker.join(
                _STOP_SECONDS
            )  # an engine that still waits for an answer is left to it: nobody keeps that answer
            self._usage.seconds += time.monotonic() - started
            self._on_progress(self._answered, self._planned, True)

    # The caller's thread

    def _take(self) -> list[tuple[str, Item]]:
        """Wait for the next items in order that are answered; empty when there are no more."""
        taken: list[tuple[str, Item]] = []
        with self._changed:
            while not self._can_take():
                self._changed.wait(_LOOKED_SECONDS)
                if time.monotonic() - self._told_at >= _TOLD_SECONDS:
                    self._tell()
            if self._error is not None:
                raise self._error
            while len(taken) < _TAKEN_AT_ONCE and self._head_answered():
                taken.append(self._queue.popleft())
            if len(self._queue) <= _AHEAD // 2 or not self._head_answered():
                self._changed.notify_all()
        if time.monotonic() - self._told_at >= _TOLD_SECONDS:
            self._tell()
        return taken

    def _can_take(self) -> bool:
        return self._error is not None or self._head_answered() or (self._finished and not self._queue)

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self._on_progress(self._answered, self._planned, False)

    def _head_answered(self) -> bool:
        return bool(len(self._queue)) and self._queue.first()[0] not in self._in_flight

    def _judge(self) -> None:
        """Too many failures are an error, now that everything else is stored."""
        if len(self._failed) <= self._maximum_failure_share * self._planned:
            return
        shown = "; ".join(f"{key[:16]}…: {self._failed[key]}" for key in sorted(self._failed)[:_SHOWN_FAILURES])
        more = f" (and {len(self._failed) - _SHOWN_FAILURES} more)" if len(self._failed) > _SHOWN_FAILURES else ""
        raise RequestsFailedError(
            f"{len(self._failed)} of {self._planned} requests failed for {self._asset} ({self._role}): {shown}{more}. "
            f"The {self._planned - len(self._failed)} completed are kept; `lgt run --retry-failed` asks only for those that "
            "failed, and `maximum_failure_share` in the profile lets a shard do without some."
        )

    # The worker's thread

    def _work(self) -> None:
        try:
            with closing(self._results()) as results:
                for _result in results:
                    if self._stopping:
                        return
            for key in list(self._in_flight):
                self._fail(RequestFailure(key, f"engine {self._engine.kind} returned nothing for it"))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            with self._changed:
                self._error = error
        finally:
            with self._changed:
                if self._in_flight:
                    self._count_busy()
                self._finished = True
                self._changed.notify_all()
            self._seen.close()

    def _results(self) -> Iterator[Completion | RequestFailure]:
        """What the engine gives, each journalled before the engine goes on with its slot."""
        if isinstance(self._engine, KeepingEngine):
            with closing(self._engine.generate_kept(self._missing(), self._keep)) as results:
                yield from results
            return
        with closing(self._engine.generate(self._missing())) as results:
            for result in results:
                self._keep(result)
                yield result

    def _missing(self) -> Iterator[Request]:
        """Plan; of what is wanted, the requests that have no answer yet."""
        for request, item in self._wanted:
            key = request_key(self._engine.identity, request)
            is_new = self._seen.add(key)
            is_missing = is_new and key not in self._store
            with self._changed:
                # never while the next answer is still out: an engine that is not asked on might not give it
                self._changed.wait_for(lambda: self._stopping or len(self._queue) < _AHEAD or not self._head_answered())
                if self._stopping:
                    return
                self._note(key, request, is_new, is_missing)
                self._queue.append((key, item))
                self._wake_reader()
            if is_missing:
                yield request

    def _note(self, key: str, request: Request, is_new: bool, is_missing: bool) -> None:
        self._planned += is_new
        if is_missing:
            if not self._in_flight:
                self._busy_since = time.monotonic()
            self._in_flight[key] = request
            self._usage.requests_sent += 1
        elif is_new:
            self._answered += 1
            self._usage.requests_reused += 1

    def _keep(self, result: Completion | RequestFailure) -> None:
        request = self._in_flight.get(result.request_key)
        if request is None:
            raise EngineError(
                f"engine {self._engine.kind} answered request {result.request_key[:16]}… which was not asked, or twice"
            )
        if isinstance(result, RequestFailure):
            self._fail(result)
            return
        self._store.append(
            request,
            result,
            asset=self._asset,
            role=self._role,
            engine_kind=self._engine.kind,
            identity=self._engine.identity,
        )
        self._usage.prompt_tokens += result.prompt_tokens
        self._usage.cached_tokens += result.cached_tokens
        self._usage.completion_tokens += result.completion_tokens
        self._settle(result.request_key)

    def _fail(self, failure: RequestFailure) -> None:
        request = self._in_flight[failure.request_key]
        self._failures.append({
            "role": self._role, "model": self._engine.identity.name, "request_key": failure.request_key,
            "error": failure.error, "prompt": rendered_prompt(request), "prefix": request.prefix,
            "sample_index": request.sample_index,
        })  # fmt: skip
        self._usage.requests_failed += 1
        self._failed[failure.request_key] = failure.error
        self._settle(failure.request_key)

    def _settle(self, key: str) -> None:
        """The request is out of the engine."""
        with self._changed:
            del self._in_flight[key]
            self._answered += 1
            if not self._in_flight:
                self._count_busy()
            self._wake_reader()

    def _wake_reader(self) -> None:
        self._since_woken += 1
        if self._since_woken >= _TAKEN_AT_ONCE and self._head_answered():
            self._since_woken = 0
            self._changed.notify_all()

    def _count_busy(self) -> None:
        self._usage.device_seconds += self._devices * (time.monotonic() - self._busy_since)
