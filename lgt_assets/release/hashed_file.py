"""A file that is hashed while it is written: an export of many gigabytes need not be read again for its manifest."""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

_WAITING = 8  # pieces written and not yet hashed; each is at most a page of parquet, about a megabyte


class HashedFile:
    """A new file for writing from the start to the end; a thread hashes beside the writer (hashing leaves Python's lock).

    Args:
        path: must not exist.

    Example:
        >>> with HashedFile(Path("rows.parquet")) as file:
        ...     file.write(b"rows")
        4
        >>> file.sha256
        '0e48…'
    """

    def __init__(self, path: Path):
        self._file = path.open("xb")
        self._hash = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> "HashedFile":
        """For the file to be closed whatever happens."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def write(self, content: bytes) -> int:
        """Write all of ``content``, which nobody may change afterwards; how many bytes that are."""
        written = self._file.write(content)
        self._waiting.append(self._thread.submit(self._hash.update, content))
        if len(self._waiting) > _WAITING:
            self._waiting.popleft().result()
        return written

    def tell(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self._file.flush()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def close(self) -> None:
        """Write what is buffered and hash what waits. Closing twice is fine."""
        self._thread.shutdown(wait=True)
        for hashed in self._waiting:
            hashed.result()
        self._waiting.clear()
        self._file.close()

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits, of all that was written until it was closed."""
        return self._hash.hexdigest()
