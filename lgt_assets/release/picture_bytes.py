"""The pictures of a release as the bytes that were added to their source: re-encoded never, read by threads."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, media_type, read_image_bytes
from lgt_assets.errors import LgtError, SourceError

FOLDER = "images"
SUFFIXES = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif", "image/bmp": ".bmp",
    "image/tiff": ".tiff",
}  # fmt: skip
_THREADS = 8  # more than cores: they wait for disks


class PictureBytes:
    """Reads pictures, several at once; every one is held against its sha256.

    Args:
        change: what is done to a picture's bytes, such as removing where it was taken; gives them back and whether they
            differ. None: nothing.
    """

    def __init__(self, change: Callable[[bytes], tuple[bytes, bool]] | None = None):
        self._change = change
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
        self.changed = 0

    def __enter__(self) -> "PictureBytes":
        """For the threads to end whatever happens."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def read(self, pictures: Sequence[dict]) -> Iterator[bytes]:
        """The bytes of each picture (``image_id``, ``sha256``, ``uri``), in order.

        Raises:
            SourceError: one is missing, changed, or cannot be freed of what was to be removed.
        """
        for content, changed in self._threads.map(self._read, pictures):
            self.changed += changed
            yield content

    def write(self, folder: Path, pictures: Sequence[dict]) -> list[str]:
        """Write each picture that is not there yet; paths relative to ``folder``, named by the sha256 of what was added.

        Raises:
            SourceError: as :meth:`read`, or it is of no known type.
        """
        found = list(self._threads.map(lambda picture: self._write(folder, picture), pictures))
        self.changed += sum(changed for _, changed in found)
        return [path for path, _ in found]

    def _read(self, picture: dict) -> tuple[bytes, bool]:
        try:
            content = read_image_bytes(ImageReference(picture["sha256"], picture["uri"]))
            return self._change(content) if self._change else (content, False)
        except (ImageUnreadable, LgtError) as error:
            raise SourceError(f"picture {picture['image_id']}: {error}") from error

    def _write(self, folder: Path, picture: dict) -> tuple[str, bool]:
        home = folder / FOLDER / picture["sha256"][:2]
        for suffix in SUFFIXES.values():
            name = picture["sha256"] + suffix
            if (home / name).exists():
                return f"{FOLDER}/{picture['sha256'][:2]}/{name}", False
        content, changed = self._read(picture)
        try:
            name = picture["sha256"] + SUFFIXES[media_type(content)]
        except ImageUnreadable as error:
            raise SourceError(f"picture {picture['image_id']}: {error}") from error
        home.mkdir(parents=True, exist_ok=True)
        # Two threads may write one picture at once; each writes a whole file of its own.
        temporary = home / f".{name}.{os.getpid()}.{id(content)}"
        temporary.write_bytes(content)
        temporary.replace(home / name)
        return f"{FOLDER}/{picture['sha256'][:2]}/{name}", changed
