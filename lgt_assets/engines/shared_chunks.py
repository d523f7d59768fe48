"""Sealed chunks as the machines of a cluster share them, on an object store; journals stay on the disk of who writes them.

A chunk is put there before it gets its name here, so that whatever lies here as a chunk lies there, or was removed there: here is a
copy. What is not there yet is in a journal, which is sealed at least every :data:`SHARE_SECONDS`: a lost machine takes the
completions of so long with it.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.stored_files import CHUNK_NAME
from lgt_assets.errors import StorageError
from lgt_assets.identity import SHARD_KEY
from lgt_assets.object_store import ObjectStore

SHARE_SECONDS = 60.0
FOLDER = "responses"
_AT_ONCE = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedChunks:
    """The chunks of all shards below ``store``'s root, in ``responses/SHARD/``."""

    store: ObjectStore

    def shards(self) -> list[str]:
        """Shards that have chunks there, sorted."""
        names = {key.split("/")[1] for key in self.store.sizes(FOLDER)}
        return sorted(name for name in names if SHARD_KEY.fullmatch(name))

    def fetch(self, folder: Path) -> None:
        """Make the chunks in ``folder``, a shard's, those of the store.

        Raises:
            StorageError: the store does not answer, or a chunk cannot be written here.
        """
        # First what is here: a chunk that comes after this look was put there before.
        here = {path.name: path for path in folder.glob("chunk-*") if CHUNK_NAME.fullmatch(path.name)}
        sizes = {key.rpartition("/")[2]: size for key, size in self.store.sizes(f"{FOLDER}/{folder.name}").items()}
        there = {name: size for name, size in sizes.items() if CHUNK_NAME.fullmatch(name)}
        try:
            for name in here.keys() - there.keys():  # removed there, by `lgt store gc` or a takedown
                here[name].unlink(missing_ok=True)
            wanted = [name for name, size in there.items() if not _has_size(folder / name, size)]
            if wanted:
                folder.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                list(threads.map(lambda name: self._fetch(folder, name), wanted))
        except OSError as error:
            raise StorageError(f"the chunks of {folder.name} cannot be copied to {folder}: {error}") from error

    def put(self, folder: Path, name: str, file: Path) -> None:
        """Put a chunk of the shard of ``folder`` there. Raises StorageError: the store does not answer."""
        self.store.write(f"{FOLDER}/{folder.name}/{name}", file.read_bytes())

    def remove(self, folder: Path, names: Iterable[str]) -> None:
        """Remove chunks of the shard of ``folder`` there."""
        self.store.remove(f"{FOLDER}/{folder.name}/{name}" for name in names)

    def _fetch(self, folder: Path, name: str) -> None:
        partial = folder / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
        try:
            partial.write_bytes(self.store.read(f"{FOLDER}/{folder.name}/{name}"))
            partial.rename(folder / name)
        finally:
            partial.unlink(missing_ok=True)


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


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
