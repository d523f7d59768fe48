"""The next item of an iterator is made by a thread while the last one is used: reading and writing overlap."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")
_END = object()


def reading_ahead(items: Iterator[Item], held: int = 1) -> Iterator[Item]:
    """The same items in the same order; at most ``held`` wait beside the one being made and the one in use.

    What ``items`` raises is raised here, after the items before it. When the user stops early, so does the thread.
    """
    ready: queue.Queue = queue.Queue(maxsize=held)
    stopped = threading.Event()

    def offer(item: object) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not offer((item, None)):
                    return
            offer(_END)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            offer((None, error))

    thread = threading.Thread(target=make, name="reading-ahead", daemon=True)
    thread.start()
    try:
        while (got := ready.get()) is not _END:
            item, error = got
            if error is not None:
                raise error
            yield item
    finally:
        stopped.set()
        thread.join()
