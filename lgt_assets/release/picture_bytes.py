"""The pictures of a release as the bytes that were added to their source: re-encoded never, read several at once."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, media_type, read_image_bytes
from lgt_assets.errors import LgtError, SourceError
from lgt_assets.release.reading_processes import Picture, ReadingProcesses, processors

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "images"
SUFFIXES = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif", "image/bmp": ".bmp",
    "image/tiff": ".tiff",
}  # fmt: skip
_THREADS = 2  # more would wait for one another: a small picture's bytes are mostly Python's work
_TOGETHER = 128
PARTS = 4  # read at once, where there are as many processors; never fewer parts, as where they begin shows in the files
FEW = 4096  # to read so many takes less than to start processes


def batched(pictures: Sequence[Picture]) -> Iterator[Sequence[Picture]]:
    """A few at a time, for every thread some: handing one picture to a thread costs as much as reading a small one."""
    together = max(1, min(_TOGETHER, -(-len(pictures) // _THREADS)))
    return (pictures[start : start + together] for start in range(0, len(pictures), together))


class PictureBytes:
    """Reads pictures, several at once; every one is held against its sha256.

    Args:
        change: what is done to a picture's bytes, such as removing where it was taken; gives them back and whether they
            differ. None: nothing.
        few: pictures that are read before processes are started for more; those that are changed are read by threads alone.
    """

    def __init__(self, change: Callable[[bytes], tuple[bytes, bool]] | None = None, few: int = FEW):
        self._few = few
        self._change = change
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
        self._processes: ReadingProcesses | None = None
        self._read_so_far = 0
        self._changed: set[int] = set()  # of 8 bytes of their sha256: a picture is read for every row that shows it

    @property
    def changed(self) -> int:
        """How many distinct pictures were changed so far."""
        return len(self._changed)

    def __enter__(self) -> "PictureBytes":
        """For threads and processes to end whatever happens."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._processes is not None:
            self._processes.close()

    def read(self, parts: Sequence[Sequence[Picture]]) -> list["pa.LargeBinaryArray"]:
        """The bytes of each part's pictures, in order; at most :data:`PARTS` parts.

        What it gives back may lie in memory that is used again once it is gone: keep a few at a time.

        Raises:
            SourceError: one is missing, changed, or cannot be freed of what was to be removed.
        """
        import pyarrow as pa

        pictures = list(chain.from_iterable(parts))
        self._read_so_far += len(pictures)
        if self._change is None and self._read_so_far > self._few:
            return self._read_by_processes(parts)
        read = list(chain.from_iterable(self._threads.map(self._read_some, batched(pictures))))
        self._note(pictures, (changed for _, changed in read))
        contents = (content for content, _ in read)
        return [pa.array(islice(contents, len(part)), pa.large_binary(), size=len(part)) for part in parts]

    def _read_by_processes(self, parts: Sequence[Sequence[Picture]]) -> list["pa.LargeBinaryArray"]:
        if self._processes is None:
            self._processes = ReadingProcesses(min(PARTS, processors()), PARTS)
        pairs = zip(self._processes.read(parts), parts, strict=True)
        return [own if len(own) == len(part) else self._with_rest(own, part) for own, part in pairs]

    def _with_rest(self, own: "pa.LargeBinaryArray", part: Sequence[Picture]) -> "pa.LargeBinaryArray":
        """All pictures of a part of which some had no room."""
        import pyarrow as pa

        pieces = [own]
        while (done := sum(map(len, pieces))) < len(part):
            (own,) = self._processes.read([part[done:]])
            if not len(own):  # larger than what is shared with a process
                own = pa.array([self._read(part[done])[0]], pa.large_binary())
            pieces.append(own)
        return pa.concat_arrays(pieces)

    def write(self, folder: Path, pictures: Sequence[Picture]) -> list[str]:
        """Write each picture that is not there yet; paths relative to ``folder``, named by the sha256 of what was added.

        Raises:
            SourceError: as :meth:`read`, or it is of no known type.
        """
        some = self._threads.map(lambda own: [self._write(folder, picture) for picture in own], batched(pictures))
        found = list(chain.from_iterable(some))
        self._note(pictures, (changed for _, changed in found))
        return [path for path, _ in found]

    def _note(self, pictures: Sequence[Picture], changed: Iterable[bool]) -> None:
        pairs = zip(pictures, changed, strict=True)
        self._changed.update(int(sha256[:16], 16) for (_, sha256, _), differs in pairs if differs)

    def _read_some(self, pictures: Sequence[Picture]) -> list[tuple[bytes, bool]]:
        return [self._read(picture) for picture in pictures]

    def _read(self, picture: Picture) -> tuple[bytes, bool]:
        image_id, sha256, uri = picture
        try:
            content = read_image_bytes(ImageReference(sha256, uri))
            return self._change(content) if self._change else (content, False)
        except (ImageUnreadable, LgtError) as error:
            raise SourceError(f"picture {image_id}: {error}") from error

    def _write(self, folder: Path, picture: Picture) -> tuple[str, bool]:
        image_id, sha256, _uri = picture
        home = folder / FOLDER / sha256[:2]
        for suffix in SUFFIXES.values():
            if (home / (sha256 + suffix)).exists():
                return f"{FOLDER}/{sha256[:2]}/{sha256}{suffix}", False
        content, changed = self._read(picture)
        try:
            name = sha256 + SUFFIXES[media_type(content)]
        except ImageUnreadable as error:
            raise SourceError(f"picture {image_id}: {error}") from error
        home.mkdir(parents=True, exist_ok=True)
        # Two threads may write one picture at once; each writes a whole file of its own.
        temporary = home / f".{name}.{os.getpid()}.{id(content)}"
        temporary.write_bytes(content)
        temporary.replace(home / name)
        return f"{FOLDER}/{sha256[:2]}/{name}", changed
