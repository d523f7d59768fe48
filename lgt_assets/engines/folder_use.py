"""Who uses a shard's folder in the response store: readers share a lock on it, and whoever removes something holds it alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgt_assets.errors import StorageError


def hold_in_use(folder: Path) -> int:
    """Share the folder's lock with all who use it, until the descriptor is closed or the process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder while no run reads it or writes to it.

    Raises:
        StorageError: one does.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StorageError(f"{folder} is in use by a run: wait for its end") from error
    finally:
        os.close(descriptor)


def is_in_use(folder: Path) -> bool:
    """Whether a run on this machine uses the folder."""
    try:
        with alone(folder):
            return False
    except StorageError:
        return True
