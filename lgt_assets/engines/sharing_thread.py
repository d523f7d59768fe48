"""A thread that seals and shares what a run has in journals, every so often."""

import logging
import threading
from collections.abc import Callable

from lgt_assets.errors import LgtError, StorageError

SHARE_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Regularly:
    """Does something every so many seconds in a thread, until it is stopped; where it fails, says so and tries again later.

    An error that is none of ours ends the thread, and is raised by what is called next.
    """

    def __init__(self, what: Callable[[], None], seconds: float) -> None:
        self._what, self._seconds = what, seconds
        self._stopped, self._due = False, threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="share", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait(self._seconds)
            self._due.clear()  # before the look: what is asked for after it is seen the next time
            if self._stopped:
                return
            try:
                self._what()
            except LgtError as error:
                _log.warning("completions stay on this machine alone until the next try: %s", error)
            except Exception as error:  # noqa: BLE001 - handed to the thread that calls next, which raises it
                _log.exception("completions stay on this machine alone")
                self._error = error
                return

    def soon(self) -> None:
        """Do it as soon as what is being done is done, instead of after the rest of the time.

        Raises:
            StorageError: the system refused something to the thread, which has ended. Other errors are raised as they are.
        """
        self._raise_error()
        self._due.set()

    def stop(self) -> None:
        """Wait for what is being done, and do it no more. Raises what :meth:`soon` raises."""
        self._stopped = True
        self._due.set()
        self._thread.join()
        self._raise_error()

    def _raise_error(self) -> None:
        if isinstance(self._error, OSError):
            raise StorageError(f"completions cannot be shared: {self._error}; run again") from self._error
        if self._error is not None:
            raise self._error
