"""Whether this process may still write for its run.

A cluster that loses a node resumes its runs elsewhere. What it took for dead may only have been cut off, or asleep: such a
process must neither write over the rows of the one that took its place, nor pay for requests twice, nor tell Dagster that the
run failed.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache

import dagster as dg

from lgt_assets.errors import RunEndedError

# How long an answer of the instance holds for requests to models; a commit asks every time.
LEASE_SECONDS = 5.0
SUPERSEDED_EXIT = 75
_WORKER_COMMANDS = {"execute_run", "resume_run"}


def end_process() -> None:
    """Leave at once: nothing that is still open is unwound, so nothing more is written or told."""
    sys.stderr.flush()
    os._exit(SUPERSEDED_EXIT)


class RunFence:
    """Asks the instance whether the run is still this process's; made when the run begins in this process.

    Args:
        instance: that knows the run.
        run_id: which.
        end: ends a process that was superseded.
    """

    def __init__(self, instance: dg.DagsterInstance, run_id: str, end: Callable[[], None] = end_process) -> None:
        self._instance, self._run_id, self._end = instance, run_id, end
        self._can_be_resumed = instance.run_launcher.supports_resume_run
        # `dagster api execute_run` begins a run: whenever it was resumed, that is not this process.
        self._resumed = 0 if "execute_run" in sys.argv else self._times_resumed()
        self._asked_at = _now()

    def require(self) -> None:
        """Return if this process may write for the run.

        It ends the process if the run was resumed by another since, or has ended in a process that does nothing else.

        Raises:
            RunEndedError: the run has ended, as by a person who marked it so.
        """
        if self._times_resumed() > self._resumed:
            self._leave("the run was resumed by another process")
        run = self._instance.get_run_by_id(self._run_id)
        if run is None or run.is_finished:
            status = run.status.value.lower() if run else "gone"
            if _WORKER_COMMANDS & set(sys.argv):
                self._leave(f"the run is {status}")
            raise RunEndedError(
                f"run {self._run_id} is {status}: it was ended elsewhere, and nothing more of it is written"
            )
        self._asked_at = _now()

    def require_lately(self) -> None:
        """:meth:`require`, unless it was asked less than :data:`LEASE_SECONDS` ago."""
        if _now() - self._asked_at > LEASE_SECONDS:
            self.require()

    def _times_resumed(self) -> int:
        return self._instance.count_resume_run_attempts(self._run_id) if self._can_be_resumed else 0

    def _leave(self, why: str) -> None:
        message = f"Process {os.getpid()} ends itself and writes nothing more: {why}."
        run = self._instance.get_run_by_id(self._run_id)
        if run is not None:
            self._instance.report_engine_event(message, run)
        self._end()
        raise RunEndedError(message)


def _now() -> float:
    """Seconds that go on while the process is stopped, and where the system can tell also while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def fence_of(context: dg.InitResourceContext) -> RunFence | None:
    """The fence of the run that a resource is made for; None outside a run."""
    if context.instance is None or context.run is None:
        return None
    return _fence(context.instance, context.run.run_id)


@lru_cache(maxsize=1)
def _fence(instance: dg.DagsterInstance, run_id: str) -> RunFence:
    """One for all resources of a run: they must agree on when it began in this process."""
    return RunFence(instance, run_id)
