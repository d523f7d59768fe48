"""Locks on this machine's tables: creating, writing beside other writers, and being alone to remove files.

Delta's own commits need none of them. They keep two creators from failing, and maintenance from removing the data files that a
writer has not committed yet. Tables below a URL have no lock: there Delta's conflicts and the age of files have to do.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgt_assets.errors import StorageError


def is_remote(root: str) -> bool:
    """Whether the tables lie below a URL, not in a folder."""
    return "://" in root


@contextmanager
def creating(root: str) -> Iterator[None]:
    """Wait for other creators of tables below ``root``; the folder is made."""
    with _held(root, ".creation.lock", fcntl.LOCK_EX):
        yield


@contextmanager
def writing(root: str, table: str) -> Iterator[None]:
    """Beside other writers of ``table``, and never while maintenance removes its files."""
    with _held(root, f".{table}.lock", fcntl.LOCK_SH):
        yield


@contextmanager
def alone(root: str, table: str) -> Iterator[None]:
    """While nobody on this machine writes to ``table``; writers that come wait.

    Raises:
        StorageError: somebody writes just now.
    """
    try:
        with _held(root, f".{table}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as error:
        raise StorageError(f"table {table} is being written: start again when the writer has ended") from error


@contextmanager
def _held(root: str, name: str, kind: int) -> Iterator[None]:
    if is_remote(root):
        yield
        return
    Path(root).mkdir(parents=True, exist_ok=True)
    with (Path(root) / name).open("a") as file:
        fcntl.flock(file, kind)
        yield
