"""Pictures on an object store: read through a cache on this machine's disk that is kept within bounds.

Pictures are named by their sha256 and never change. What is in the cache may vanish at any time.
"""

import hashlib
import logging
import os
from pathlib import Path

from lgt_assets.object_store import ObjectStore
from lgt_assets.state import DEFAULT_CACHE_GB, OBJECT_STORES, gigabytes, state_folder

_SCHEMES = tuple(f"{scheme}://" for scheme in OBJECT_STORES)
# After so much of its bound was written, a process looks at how much there is, and makes room for as much again.
_SHARE_BETWEEN_SWEEPS = 0.1
_log = logging.getLogger(__name__)


def is_shared(uri: str) -> bool:
    """Whether a picture lies on an object store, not in a file."""
    return uri.startswith(_SCHEMES)


def read_shared(uri: str, sha256: str) -> bytes:
    """The bytes at an address: from the cache, where they are what ``sha256`` says, or from the store.

    Raises:
        FileNotFoundError: nothing is there.
        StorageError: the store does not answer.
    """
    cache = PictureCache(*cache_place())
    content = cache.read(sha256)
    if content is None:
        root, _, key = uri.rpartition("/")
        content = ObjectStore(root).read(key)
        try:
            cache.keep(sha256, content)
        except OSError as error:  # a full disk, or another process made room just then: the picture is none the worse
            _log.warning("picture %s is not kept in the cache: %s", uri, error)
    return content


def cache_place() -> tuple[Path, int]:
    """The cache's folder, and the bytes that it may hold: ``$LGT_PICTURE_CACHE_GB`` times 10⁹; with 0 nothing is kept.

    Raises:
        SettingsError: that is no number, or negative.
    """
    return state_folder() / "picture-cache", gigabytes("LGT_PICTURE_CACHE_GB", DEFAULT_CACHE_GB)


class PictureCache:
    """Pictures by sha256 in a folder that any number of processes share; those unused for longest make room.

    Args:
        folder: made with the first picture.
        most_bytes: held at most, and for each process that writes a tenth more.
    """

    _written: dict[Path, int] = {}

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes

    def read(self, sha256: str) -> bytes | None:
        """The picture, if it is there and whole."""
        path = self._path(sha256)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:  # not there, or no longer, or the disk refuses: the store has it
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def keep(self, sha256: str, content: bytes) -> None:
        """Keep a picture, unless it alone would fill a tenth of the cache; what is no picture of that name is not kept.

        Raises:
            OSError: the disk refuses.
        """
        slack = int(self._most * _SHARE_BETWEEN_SWEEPS)
        if len(content) > slack or hashlib.sha256(content).hexdigest() != sha256:
            return
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{id(content)}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        written = self._written.get(self._folder, slack) + len(content)  # at first nobody knows what is there
        if written > slack:
            self._make_room(self._most - slack)
            written = 0
        self._written[self._folder] = written

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _make_room(self, most: int) -> None:
        """Remove the pictures unused for longest until the others have at most ``most`` bytes; also what killed writers left."""
        held = sorted(found for path in self._folder.glob("[0-9a-f][0-9a-f]/*") if (found := _stat(path)))
        total = sum(size for _time, size, _path in held)
        for _time, size, path in held:
            if total <= most:
                return
            path.unlink(missing_ok=True)
            total -= size


def _stat(path: Path) -> tuple[float, int, Path] | None:
    try:
        found = path.stat()
    except FileNotFoundError:  # another process made room
        return None
    return found.st_mtime, found.st_size, path
