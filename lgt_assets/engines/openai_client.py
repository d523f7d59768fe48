"""Which request goes where and when: slots, retries, endpoints that come and go. Everything here runs on one event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from lgt_assets.engines.base import Completion, ModelIdentity, Request, RequestFailure, request_key
from lgt_assets.engines.image_bytes import ImageUnreadable
from lgt_assets.engines.openai_body import BodyBuilder, UnsupportedRequest
from lgt_assets.engines.openai_calls import Call, Job
from lgt_assets.engines.openai_endpoint import Endpoint
from lgt_assets.engines.openai_fleet import Fleet
from lgt_assets.engines.openai_health import FleetHealth, backoff
from lgt_assets.engines.openai_protocol import Answer
from lgt_assets.engines.openai_wire import Busy, Fault, Refusal, Wire
from lgt_assets.engines.settings import OpenaiServerSettings
from lgt_assets.errors import EngineError, LgtError, SettingsError

_MOST_READY = 64


class ChatClient:
    """Sends jobs to endpoints. ``waiting`` may be appended to from any thread; see :attr:`hungry`.

    Attributes:
        most_ready: jobs that should wait, so that no slot waits for a prompt to be rendered.
        hungry: there are free slots and no jobs: whoever appends one must have :meth:`dispatch` called on the loop.
    """

    def __init__(self, settings: OpenaiServerSettings, identity: ModelIdentity, wire: Wire, fleet: Fleet) -> None:
        self._settings, self._identity, self._wire = settings, identity, wire
        limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
        set_limits = {name: value for name, value in limits.items() if value is not None}
        self._builder = BodyBuilder(settings.served_model or settings.model, settings.dialect, set_limits)
        self.health = FleetHealth(settings, wire, fleet, changed=self.dispatch, fail=self._fail)
        self.pool = self.health.pool
        self.waiting: deque[Job] = deque()
        self.most_ready = min(_MOST_READY, settings.in_flight)
        self.hungry = False
        self._active = 0
        self._calls: set[Call] = set()

    def job(self, call: Call, request: Request) -> Job:
        """A request as a job of ``call``; for any thread."""
        return Job(call, request, request_key(self._identity, request))

    async def begin(self, keep: Callable[[Completion | RequestFailure], None]) -> Call:
        """Start a call; endpoints that are not known to be up are asked. For ``keep`` see :class:`Call`.

        Raises:
            SettingsError: what should list the endpoints lists something else.
        """
        call = Call(keep)
        self._calls.add(call)
        try:
            await self.health.begin()
        except SettingsError:
            await self.end(call)
            raise
        return call

    async def end(self, call: Call) -> None:
        """Cancel what is left of a call; what waits of it is passed over."""
        call.closed = True
        self._calls.discard(call)
        for task in list(call.tasks):
            task.cancel()
        if not self._calls:
            self.health.end()
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
            endpoint = self.pool.next(loop.time(), job.avoided) if is_wanted else None
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
            try:
                outcome = await self._wire.post(endpoint, body, max(0.001, job.deadline - started), endpoint.names)
            except EngineError as error:
                job.avoided, job.error = endpoint, str(error)
                self.health.refuse(endpoint, error)
                self._again(job, 0.0)
                return
            seconds = asyncio.get_running_loop().time() - started
            if isinstance(outcome, Answer):
                self._answered(job, endpoint, outcome, epoch, seconds)
            else:
                self._not_answered(job, endpoint, outcome, epoch)
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            job.call.put(error)

    def _left(self, job: Job, endpoint: Endpoint, task: asyncio.Task[None]) -> None:
        """An attempt is over, also one that was cancelled before it began."""
        job.call.tasks.discard(task)
        endpoint.active -= 1
        self._active -= 1
        self.pool.forget(endpoint)
        self.dispatch()

    def _answered(self, job: Job, endpoint: Endpoint, answer: Answer, epoch: int, seconds: float) -> None:
        limit = endpoint.limit
        limit.completed(epoch, seconds, answer.completion_tokens, endpoint.active >= limit.value)
        endpoint.answered()
        self.health.answered()
        completion = Completion(
            job.key, answer.text, answer.finish_reason, answer.prompt_tokens, answer.cached_tokens,
            answer.completion_tokens, seconds, endpoint.address,
        )  # fmt: skip
        self._finish(job, completion)

    def _not_answered(self, job: Job, endpoint: Endpoint, outcome: Busy | Fault | Refusal, epoch: int) -> None:
        job.error = f"{endpoint} {outcome.error}"
        if isinstance(outcome, Refusal):
            endpoint.answered()
            self.health.is_talking()
            self._finish(job, RequestFailure(job.key, job.error))
        elif isinstance(outcome, Busy):
            self.health.is_talking()
            self._rest(endpoint, outcome, fresh=endpoint.limit.refused(epoch))
            self._again(job, 0.0)
        else:
            self._fault(job, endpoint, outcome, epoch)

    def _rest(self, endpoint: Endpoint, busy: Busy, *, fresh: bool) -> None:
        """Let an endpoint rest as long as it asks, else longer with each wave of refusals (``fresh``: this begins one)."""
        loop = asyncio.get_running_loop()
        seconds = busy.seconds
        if fresh and not seconds:
            seconds = backoff(self._settings, endpoint.setbacks, endpoint.address)
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
        # no attempt of the request's where nobody was there, or somebody was about to go
        job.attempts += not (fault.unreachable or endpoint.draining)
        if fault.timed_out:
            endpoint.limit.refused(epoch)
        if endpoint.failed(fault.error, unreachable=fault.unreachable):
            self.health.leave_out(endpoint, fault.error)
        if job.attempts >= self._settings.attempts:
            self._finish(job, RequestFailure(job.key, f"{job.error} (gave up after {job.attempts} attempts)"))
        else:
            self._again(job, 0.0 if fault.unreachable else backoff(self._settings, job.attempts - 1, job.key))

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
