"""Sealed chunks as the machines of a cluster share them, on an object store; journals stay on the disk of who writes them.

A chunk is put there before it gets its name here, so that whatever lies here as a chunk lies there, or was removed there: here
are copies, kept within a bound, those of the shards unused for longest first to go. A chunk's name is the hash of its content:
putting it twice changes nothing, and an object is whole or absent. What is not there yet is in a journal.
"""

import logging
import os
import uuid
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.engines.folder_use import alone
from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.stored_files import CHUNK_NAME, journal_paths, read_chunk
from lgt_assets.errors import StorageError
from lgt_assets.identity import SHARD_KEY
from lgt_assets.object_store import ObjectStore

FOLDER = "responses"
_AT_ONCE = 8
_TRIES = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedChunks:
    """The chunks of all shards below ``store``'s root, in ``responses/SHARD/``; ``most_bytes`` of copies are kept here.

    Every method raises StorageError where the store does not answer, or the disk here refuses.
    """

    store: ObjectStore
    most_bytes: int

    def shards(self) -> list[str]:
        """Shards that have objects there, sorted."""
        names = {key.split("/")[1] for key in self.store.sizes(FOLDER)}
        return sorted(name for name in names if SHARD_KEY.fullmatch(name))

    def sizes(self, shard: str) -> dict[str, int]:
        """Bytes by name of all that lies there of a shard, also of what is no chunk."""
        folder = f"{FOLDER}/{shard}/"
        return {key.removeprefix(folder): size for key, size in self.store.sizes(folder.rstrip("/")).items()}

    def holds(self, folder: Path) -> bool:
        """Whether anything was stored of the shard of ``folder``: there, or in a journal here."""
        return bool(self._chunks(folder) or journal_paths(folder))

    def address(self, shard: str, name: str) -> str:
        """Where a chunk lies."""
        return self.store.address(f"{FOLDER}/{shard}/{name}")

    def read(self, shard: str, name: str) -> bytes:
        """A chunk's bytes. Raises FileNotFoundError: it is not there."""
        return self.store.read(f"{FOLDER}/{shard}/{name}")

    def clear(self, folder: Path) -> None:
        """Remove the copies in ``folder``, a shard's, of chunks that were removed there; not while somebody reads them."""
        # First what is here: a chunk that comes after this look was put there before.
        here = {path.name: path for path in folder.glob("chunk-*") if CHUNK_NAME.fullmatch(path.name)}
        gone = here.keys() - self._chunks(folder).keys() if here else ()
        if gone:
            _remove_unless_used(folder, [here[name] for name in gone])

    def fetch(self, folder: Path) -> None:
        """Copy the chunks that ``folder``, a shard's, lacks. Hold the folder in use before: else another may make room of it."""
        try:
            os.utime(folder)
            for _ in range(_TRIES):
                there = self._chunks(folder)
                wanted = {name: size for name, size in there.items() if not _has_size(folder / name, size)}
                self._make_room(folder.parent, sum(wanted.values()))
                with ThreadPoolExecutor(_AT_ONCE) as threads:
                    found = list(threads.map(lambda name: self._copy(folder, name), wanted))
                if all(found):
                    return  # else some were written anew, by `lgt store gc`, since they were listed
        except OSError as error:
            raise StorageError(f"the chunks of {folder.name} cannot be copied to {folder}: {error}") from error
        raise StorageError(f"{self.address(folder.name, '')} names chunks that are not there; run again")

    def fetch_again(self, path: Path) -> None:
        """Copy a chunk whose copy was damaged."""
        try:
            self._copy(path.parent, path.name)
        except OSError as error:
            raise StorageError(f"{path} cannot be copied again: {error}") from error

    def put(self, folder: Path, name: str, file: Path) -> None:
        """Put a chunk of the shard of ``folder`` there."""
        self.store.write(f"{FOLDER}/{folder.name}/{name}", file.read_bytes())

    def publish(self, folder: Path, name: str, file: Path) -> None:
        """Put a new chunk there, and make room for it among the copies here, of which ``folder`` is that of its shard."""
        self.put(folder, name, file)
        self._make_room(folder.parent, file.stat().st_size)

    def remove(self, folder: Path, names: Iterable[str]) -> None:
        """Remove chunks of the shard of ``folder`` there."""
        self.store.remove(f"{FOLDER}/{folder.name}/{name}" for name in names)

    def _chunks(self, folder: Path) -> dict[str, int]:
        return {name: size for name, size in self.sizes(folder.name).items() if CHUNK_NAME.fullmatch(name)}

    def _copy(self, folder: Path, name: str) -> bool:
        """Whether it was there."""
        partial = folder / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
        try:
            partial.write_bytes(self.read(folder.name, name))
            if (folder / name).exists() and (fault := _fault(partial)):
                address = self.address(folder.name, name)
                _log.warning("%s cannot be read (%s): the copy in %s stays as it is", address, fault, folder)
            else:
                partial.rename(folder / name)
        except FileNotFoundError:
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True

    def _make_room(self, root: Path, coming: int) -> None:
        """Remove copies, of whole shards, until ``coming`` bytes fit; a shard that somebody uses stays."""
        held = sorted(found for path in root.iterdir() if (found := _copies(path)))
        total = coming + sum(size for _time, size, _folder in held)
        for _time, size, folder in held:
            if total <= self.most_bytes:
                return
            if _remove_unless_used(folder, list(folder.glob("chunk-*"))):
                total -= size
        if total > self.most_bytes:
            _log.info("%s holds %d bytes of copies: what runs use now is more than its bound", root, total)


def _fault(path: Path) -> str:
    """Why a file is no chunk; "" where it is one."""
    try:
        read_chunk(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        return str(error)
    return ""


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _copies(folder: Path) -> tuple[float, int, Path] | None:
    """When a shard's copies were last used, and their bytes."""
    if not SHARD_KEY.fullmatch(folder.name):
        return None
    sizes = []
    for path in folder.glob("chunk-*"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # another process made room
            continue
    return (folder.stat().st_mtime, sum(sizes), folder) if sizes else None


def _remove_unless_used(folder: Path, paths: Collection[Path]) -> bool:
    try:
        with alone(folder):
            for path in paths:
                path.unlink(missing_ok=True)
    except StorageError:
        return False
    return True
