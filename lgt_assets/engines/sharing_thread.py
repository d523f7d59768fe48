"""A thread that seals and shares what a run has in journals, every so often."""

import logging
import threading
from collections.abc import Callable

from lgt_assets.errors import StorageError

SHARE_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Regularly:
    """Does something every so many seconds in a thread, until it is stopped; where it fails, says so and tries again later."""

    def __init__(self, what: Callable[[], None], seconds: float) -> None:
        self._what, self._seconds = what, seconds
        self._stopped, self._due = False, threading.Event()
        self._thread = threading.Thread(target=self._run, name="share", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait(self._seconds)
            if self._stopped:
                return
            self._due.clear()
            try:
                self._what()
            except StorageError as error:
                _log.warning("completions stay on this machine alone until the next try: %s", error)

    def soon(self) -> None:
        """Do it as soon as what is being done is done, instead of after the rest of the time."""
        self._due.set()

    def stop(self) -> None:
        """Wait for what is being done, and do it no more."""
        self._stopped = True
        self._due.set()
        self._thread.join()
