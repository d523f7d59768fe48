"""Which request goes where and when: slots, retries, endpoints that come and go. Everything here runs on one event loop."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.image_bytes import ImageUnreadable
from lgt_assets.engines.openai_body import BodyBuilder, UnsupportedRequest
from lgt_assets.engines.openai_calls import Call, Job
from lgt_assets.engines.openai_endpoint import Endpoint, least_loaded
from lgt_assets.engines.openai_protocol import Answer
from lgt_assets.engines.openai_wire import Busy, Fault, Refusal, Wire
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError, LgtError
from lgt_assets.identity import random_of

_FIRST_CONTACT_SECONDS = 30.0
_LEAST_PROBE_SECONDS = 0.02
_MOST_READY = 64
_log = logging.getLogger(__name__)


class ChatClient:
    """Sends jobs to endpoints. ``waiting`` may be appended to from any thread; see :attr:`hungry`.

    Attributes:
        most_ready: jobs that should wait, so that no slot waits for a prompt to be rendered.
        hungry: there are free slots and no jobs: whoever appends one must have :meth:`dispatch` called on the loop.
    """

    def __init__(self, settings: OpenaiServerSettings, identity: ModelIdentity, wire: Wire) -> None:
        self._settings, self._identity, self._wire = settings, identity, wire
        limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
        set_limits = {name: value for name, value in limits.items() if value is not None}
        self._builder = BodyBuilder(settings.served_model or settings.model, settings.dialect, set_limits)
        self.endpoints = [Endpoint(a, settings.in_flight, settings.latency_tolerance) for a in settings.endpoints]
        self.waiting: deque[Job] = deque()
        self.most_ready = min(_MOST_READY, settings.in_flight)
        self.hungry = False
        self._active = 0
        self._calls: set[Call] = set()
        self._probes: dict[Endpoint, asyncio.Task[None]] = {}
        self._trouble_since: float | None = None
        self._was_answered = False

    def job(self, call: Call, request: Request) -> Job:
        """A request as a job of ``call``; for any thread."""
        return Job(call, request, request_key(self._identity, request))

    async def begin(self, keep: Callable[[Completion | RequestFailure], None]) -> Call:
        """Start a call; endpoints that are not known to be up are asked. For ``keep`` see :class:`Call`."""
        call = Call(keep)
        self._calls.add(call)
        self._trouble_since = None
        for endpoint in self.endpoints:
            endpoint.limit.forget_latency()
            if not endpoint.up:
                endpoint.setbacks = 0
                self._probe(endpoint)
        return call

    async def end(self, call: Call) -> None:
        """Cancel what is left of a call; what waits of it is passed over."""
        call.closed = True
        self._calls.discard(call)
        for task in list(call.tasks):
            task.cancel()
        if not self._calls:
            for probe in self._probes.values():
                probe.cancel()
            self._probes.clear()
            self.waiting.clear()

    def dispatch(self) -> None:
        """Give waiting jobs to endpoints until one of both is used up."""
        loop = asyncio.get_running_loop()
        self.hungry = False
        while self.waiting:
            if self._active >= self._settings.in_flight:
                return
            job = self.waiting[0]
            is_wanted = job.call.is_sending and not job.call.closed
            endpoint = least_loaded(self.endpoints, loop.time(), job.avoided) if is_wanted else None
            if endpoint is None and is_wanted:
                return
            self.waiting.popleft()
            if endpoint is not None:
                endpoint.active += 1
                self._active += 1
                task = loop.create_task(self._attempt(job, endpoint))
                job.call.tasks.add(task)
                task.add_done_callback(partial(self._left, job, endpoint))
        self.hungry = True
        if self.waiting:  # appended meanwhile by a thread that did not see the flag
            loop.call_soon(self.dispatch)

    async def _attempt(self, job: Job, endpoint: Endpoint) -> None:
        try:
            started = asyncio.get_running_loop().time()
            if not job.deadline:
                job.deadline = started + self._settings.deadline_seconds
            try:
                body = self._builder.build(job.request)
            except (ImageUnreadable, UnsupportedRequest) as error:
                self._finish(job, RequestFailure(job.key, str(error)))
                return
            epoch = endpoint.limit.epoch
            outcome = await self._wire.post(endpoint, body, max(0.001, job.deadline - started), endpoint.names)
            seconds = asyncio.get_running_loop().time() - started
            if isinstance(outcome, Answer):
                self._answered(job, endpoint, outcome, epoch, seconds)
            else:
                self._not_answered(job, endpoint, outcome, epoch)
        except EngineError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            job.call.put(error)

    def _left(self, job: Job, endpoint: Endpoint, task: asyncio.Task[None]) -> None:
        """An attempt is over, also one that was cancelled before it began."""
        job.call.tasks.discard(task)
        endpoint.active -= 1
        self._active -= 1
        self.dispatch()

    def _answered(self, job: Job, endpoint: Endpoint, answer: Answer, epoch: int, seconds: float) -> None:
        limit = endpoint.limit
        limit.completed(epoch, seconds, answer.completion_tokens, endpoint.active >= limit.value)
        endpoint.answered()
        self._trouble_since, self._was_answered = None, True
        completion = Completion(
            job.key, answer.text, answer.finish_reason, answer.prompt_tokens, answer.cached_tokens,
            answer.completion_tokens, seconds,
        )  # fmt: skip
        self._finish(job, completion)

    def _not_answered(self, job: Job, endpoint: Endpoint, outcome: Busy | Fault | Refusal, epoch: int) -> None:
        job.error = f"{endpoint} {outcome.error}"
        if isinstance(outcome, Refusal):
            endpoint.answered()
            self._trouble_since = None
            self._finish(job, RequestFailure(job.key, job.error))
        elif isinstance(outcome, Busy):
            self._trouble_since = None
            self._rest(endpoint, outcome, fresh=endpoint.limit.refused(epoch))
            self._again(job, 0.0)
        else:
            self._fault(job, endpoint, outcome, epoch)

    def _rest(self, endpoint: Endpoint, busy: Busy, *, fresh: bool) -> None:
        """Let an endpoint rest as long as it asks, else longer with each wave of refusals (``fresh``: this begins one)."""
        loop = asyncio.get_running_loop()
        seconds = busy.seconds
        if fresh and not seconds:
            seconds = self._backoff(endpoint.setbacks, endpoint.address)
        endpoint.setbacks += fresh
        until = loop.time() + seconds
        if until > endpoint.rests_until:
            endpoint.rests_until = until
            loop.call_at(until, self._rested, endpoint, until)

    def _rested(self, endpoint: Endpoint, until: float) -> None:
        """The clock is not asked again: uvloop's timers, of whole milliseconds, may ring before it says so."""
        if endpoint.rests_until == until:
            endpoint.rests_until = 0.0
        self.dispatch()

    def _fault(self, job: Job, endpoint: Endpoint, fault: Fault, epoch: int) -> None:
        job.avoided = endpoint
        job.attempts += not fault.unreachable  # nobody was there: no attempt of the request's
        if fault.timed_out:
            endpoint.limit.refused(epoch)
        if endpoint.failed(fault.error, unreachable=fault.unreachable):
            endpoint.up = False
            _log.warning("endpoint %s is left out for now: it %s", endpoint, fault.error)
            self._count_trouble()
            self._probe(endpoint)
        if job.attempts >= self._settings.attempts:
            self._finish(job, RequestFailure(job.key, f"{job.error} (gave up after {job.attempts} attempts)"))
        else:
            self._again(job, 0.0 if fault.unreachable else self._backoff(job.attempts - 1, job.key))

    def _backoff(self, times: int, *of: object) -> float:
        """Seconds to wait after the ``times``-th setback in a row: exponential, with jitter seeded by what waits."""
        base, cap = self._settings.backoff_base_seconds, self._settings.backoff_cap_seconds
        return min(cap, base * 2 ** min(times, 32)) * (0.5 + random_of(*of, "backoff", times).random() / 2)

    def _again(self, job: Job, seconds: float) -> None:
        """Let a job wait ``seconds``, then put it first in the queue; it fails at its deadline wherever it is."""
        loop = asyncio.get_running_loop()
        if job.done or loop.time() >= job.deadline:
            self._expire(job)
            return
        if job.expiry is None:
            job.expiry = loop.call_at(job.deadline, self._expire, job)
        if seconds > 0:
            loop.call_later(seconds, self._put_back, job)
        else:
            self.waiting.appendleft(job)

    def _put_back(self, job: Job) -> None:
        if not job.done:
            self.waiting.appendleft(job)
            self.dispatch()

    def _expire(self, job: Job) -> None:
        if job in self.waiting:
            self.waiting.remove(job)
        spent = f"(gave up after {self._settings.deadline_seconds:g} s, its deadline)"
        self._finish(job, RequestFailure(job.key, f"{job.error} {spent}"))

    def _finish(self, job: Job, result: Completion | RequestFailure) -> None:
        if job.expiry is not None:
            job.expiry.cancel()
        if not job.done:
            job.done = True
            try:
                if not job.call.closed:
                    job.call.keep(result)
            except LgtError as error:
                job.call.is_sending = False
                job.call.put(error)
            else:
                # while enough requests stand ready, the thread that brings more need not hurry
                job.call.put(result, soon=2 * len(self.waiting) < self.most_ready)

    def _fail(self, error: EngineError) -> None:
        """No request can succeed: every call ends, and nothing more is sent."""
        for call in self._calls:
            call.closed = True
            call.put(error)

    def _probe(self, endpoint: Endpoint) -> None:
        if endpoint not in self._probes:
            self._probes[endpoint] = asyncio.get_running_loop().create_task(self._ask_until_up(endpoint))

    async def _ask_until_up(self, endpoint: Endpoint) -> None:
        """Ask an endpoint what it serves, less and less often, until it answers."""
        known = endpoint.names is not None
        try:
            while not endpoint.up:
                if known or endpoint.setbacks:
                    wait = self._backoff(endpoint.setbacks, endpoint.address)
                    await asyncio.sleep(max(_LEAST_PROBE_SECONDS, wait))
                endpoint.setbacks += 1
                said = await self._wire.models(endpoint)
                if isinstance(said, Fault):
                    endpoint.error = said.error
                    self._count_trouble()
                else:
                    self._welcome(endpoint, said, back=known)
        except EngineError as error:
            self._fail(error)
        finally:
            if self._probes.get(endpoint) is asyncio.current_task():
                del self._probes[endpoint]
        self.dispatch()

    def _welcome(self, endpoint: Endpoint, names: frozenset[str], *, back: bool) -> None:
        endpoint.names, endpoint.up = names, True
        if back:
            endpoint.limit.restart()
            _log.warning("endpoint %s answers again", endpoint)

    def _count_trouble(self) -> None:
        """While any endpoint is up there is hope; when none has been for long, the run ends with what each one said."""
        now = asyncio.get_running_loop().time()
        if self._trouble_since is None:
            self._trouble_since = now
        longest = self._settings.outage_seconds
        if not self._was_answered:
            longest = min(longest, _FIRST_CONTACT_SECONDS)
        if not any(endpoint.up for endpoint in self.endpoints) and now - self._trouble_since >= longest:
            said = "; ".join(f"{endpoint} {endpoint.error}" for endpoint in self.endpoints)
            self._fail(
                EngineError(f"no endpoint answers: {said}; start the server, or correct the endpoints in the profile")
            )
