"""Opened Delta tables, kept by each thread: opening one reads its log anew, which takes the longer the more slices it has.

A kept table is brought up to date before it is given out, so that it has what other processes have committed since. That it is
still the same table is known by the file of its last commit: a table removed and made again has another one there, and so has
one whose log a takedown rewrote. Tables below a URL have no such file to look at cheaply, and are opened anew each time.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deltalake import DeltaTable

from lgt_assets.table_locks import is_remote

Stamp = tuple[int, int, int]
# deltalake holds what each commit added as a piece of its own, and asks them all: a table that took a thousand commits since it
# was opened commits in ten times the processor time of one just opened. After so many it is opened anew.
PIECES = 16


@dataclass
class Handle:
    """A table at its latest version; ``is_checked`` is for the owner's use, and false for one that was just opened."""

    delta: DeltaTable
    is_checked: bool = False
    seen: tuple[int, Stamp | None] = (-1, None)  # a version, and what tells its file from others
    opened: int = field(init=False)  # at this version

    def __post_init__(self) -> None:
        self.opened = self.delta.version()

    def is_same(self, uri: str) -> bool:
        """Whether the table at ``uri`` is still the one that was opened, at that version or a later one."""
        version, stamp = self.seen
        return stamp is not None and stamp == _stamp(uri, version)

    def update(self, uri: str) -> None:
        """Take what was committed since, here or elsewhere."""
        if _stamp(uri, self.delta.version() + 1) is not None:
            self.delta.update_incremental()
        version = self.delta.version()
        if version != self.seen[0]:
            self.seen = version, _stamp(uri, version)


class _Kept(threading.local):
    def __init__(self) -> None:
        self.handles: dict[str, Handle] = {}


_kept = _Kept()


def latest(uri: str, storage_options: Mapping[str, str]) -> Handle:
    """The table at ``uri`` at its latest version. Commit with it, and it is at the new one; never load another version with it.

    Raises:
        deltalake.exceptions.DeltaError: there is no table, or it cannot be read.
    """
    if is_remote(uri):
        return Handle(DeltaTable(uri, storage_options=dict(storage_options) or None))
    handle = _kept.handles.pop(uri, None)  # kept again once it is up to date, and not where that fails
    if handle is None or not handle.is_same(uri):
        handle = Handle(DeltaTable(uri))
    handle.update(uri)
    if handle.delta.version() - handle.opened >= PIECES:
        handle = Handle(DeltaTable(uri), handle.is_checked)
        handle.update(uri)
    _kept.handles[uri] = handle
    return handle


def is_known(uri: str) -> bool:
    """Whether this thread holds the table open, and it is still there."""
    handle = _kept.handles.get(uri)
    return handle is not None and handle.is_same(uri)


def forget(uri: str) -> None:
    """Open the table anew the next time, as after a commit that failed."""
    _kept.handles.pop(uri, None)


def _stamp(uri: str, version: int) -> Stamp | None:
    """What tells a commit's file from another in its place; None where there is none."""
    try:
        found = os.stat(Path(uri, "_delta_log", f"{version:020d}.json"))
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
