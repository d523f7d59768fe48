"""An append-only file of checksummed records: what one write() has put there survives SIGKILL of the writer.

A journal belongs to one process, which holds its lock while it lives. A record is its length and CRC-32 (8 bytes) and
canonical JSON; a torn or foreign tail ends the reading with a warning.
"""

import fcntl
import json
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgt_assets.errors import StorageError

MAGIC = b"LGTJ1\n"
PARTIAL_PREFIX = ".partial-"
_HEADER = struct.Struct("<II")
_MOST_RECORD_BYTES = 1 << 28
_SYNC_SECONDS = 1.0
_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

Record = dict[str, Any]


def encode_record(record: Record) -> bytes:
    """A record as the bytes of one write."""
    return framed(_canonical(record))


def framed(payload: str) -> bytes:
    """A record's canonical JSON as the bytes of one write."""
    encoded = payload.encode("utf-8", "surrogatepass")
    return _HEADER.pack(len(encoded), zlib.crc32(encoded)) + encoded


@dataclass(frozen=True)
class JournalContent:
    """The whole records at a journal's head with their positions (bytes from its start), and what is wrong with the rest."""

    records: list[tuple[int, Record]]
    fault: str
    content: bytes = b""

    def encoded(self, position: int) -> bytes:
        """The bytes of the record at ``position``, as :func:`encode_record` made them."""
        length, _checksum = _HEADER.unpack_from(self.content, position)
        return self.content[position : position + _HEADER.size + length]


@dataclass(frozen=True)
class JournalFrames:
    """The checksummed records at a journal's head, not decoded, each as it was written; and what is wrong with the rest."""

    encoded: list[bytes]
    fault: str

    def lines(self) -> bytes:
        """One JSON object a line."""
        return b"\n".join([record[_HEADER.size :] for record in self.encoded])


def read_frames(content: bytes) -> JournalFrames:
    """Take a journal's bytes apart as far as they are whole, without looking into the records."""
    if not content.startswith(MAGIC):
        # a writer killed within its first write leaves a beginning of the magic
        return JournalFrames([], "" if MAGIC.startswith(content) else "it is not a journal of ours")
    encoded: list[bytes] = []
    start = len(MAGIC)
    while start < len(content):
        end = _end_of_whole(content, start)
        if end < 0:
            return JournalFrames(encoded, _torn(len(encoded)))
        encoded.append(content[start:end])
        start = end
    return JournalFrames(encoded, "")


def read_content(content: bytes) -> JournalContent:
    """Take a journal's bytes apart, as far as they are whole."""
    frames = read_frames(content)
    records: list[tuple[int, Record]] = []
    start = len(MAGIC)
    for encoded in frames.encoded:
        record = _decoded(encoded)
        if record is None:
            return JournalContent(records, _torn(len(records)), content)
        records.append((start, record))
        start += len(encoded)
    return JournalContent(records, frames.fault, content)


def _torn(count: int) -> str:
    return f"its tail after {count} records is torn or damaged"


def read_record(descriptor: int, position: int) -> Record:
    """The record at ``position`` of an open journal.

    Raises:
        StorageError: there is no whole record.
    """
    header = os.pread(descriptor, _HEADER.size, position)
    length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else 0
    encoded = header + os.pread(descriptor, length, position + _HEADER.size)
    record = _decoded(encoded) if _end_of_whole(encoded, 0) > 0 else None
    if record is None:
        raise StorageError(f"a journal of the response store was damaged while in use (byte {position}); run again")
    return record


def _end_of_whole(content: bytes, start: int) -> int:
    """Where the record at ``start`` ends; -1 if it is torn or damaged."""
    body = start + _HEADER.size
    if body > len(content):
        return -1
    length, checksum = _HEADER.unpack_from(content, start)
    end = body + length
    if length > _MOST_RECORD_BYTES or end > len(content) or zlib.crc32(memoryview(content)[body:end]) != checksum:
        return -1
    return end


def _decoded(encoded: bytes) -> Record | None:
    """A whole record; None if it is no JSON object."""
    try:
        record = json.loads(encoded[_HEADER.size :].decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


class Journal:
    """The journal this process writes; locked until closed or until the process dies, synced at least every second.

    Args:
        path: a name no journal had before.

    Raises:
        StorageError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._fault: OSError | None = None
        try:
            # locked before it gets its name: nobody can claim it as a dead run's
            unnamed = path.with_name(f"{PARTIAL_PREFIX}{path.name}")
            self._descriptor = os.open(unnamed, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = 0
            self._write(MAGIC)
            unnamed.rename(path)
        except OSError as error:
            raise StorageError(f"journal {path} cannot be created: {error}") from error
        self._syncer = threading.Thread(target=self._sync_regularly, name=f"fsync {path.name}", daemon=True)
        self._syncer.start()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def append(self, encoded: bytes) -> int:
        """Write one record, as encoded, by one write(); its position in the file.

        Raises:
            StorageError: the disk refused it, and nothing of the record stays in the file; or it refused to make earlier
                records durable.
        """
        if self._fault is not None:
            raise StorageError(f"{self.path} cannot be made durable: {self._fault}; look at the disk and run again")
        with self._lock:
            position = self._size
            try:
                self._write(encoded)
            except OSError as error:
                raise StorageError(
                    f"completions can no longer be kept in {self.path}: {error}; make room and run again"
                ) from error
        if not self._dirty.is_set():  # setting takes a lock each time
            self._dirty.set()
        return position

    def _write(self, content: bytes) -> None:
        written = os.write(self._descriptor, content)
        if written != len(content):
            os.ftruncate(self._descriptor, self._size)
            raise OSError(f"only {written} of {len(content)} bytes fitted")
        self._size += written

    def _sync_regularly(self) -> None:
        is_named = False
        while not self._closing.wait(_SYNC_SECONDS):
            if self._dirty.is_set():
                self._dirty.clear()
                try:
                    self._sync(with_name=not is_named)
                except OSError as error:
                    self._fault = error  # the next append says so: nothing more may count as kept
                    return
                is_named = True

    def _sync(self, *, with_name: bool) -> None:
        os.fsync(self._descriptor)
        if with_name:
            sync_folder(self.path.parent)

    def close(self) -> None:
        """Sync the file if it is still there, release the lock, leave it. Closing twice is fine.

        Raises:
            StorageError: the disk refuses to sync; the lock is released all the same.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._syncer.join()
        try:
            if os.fstat(self._descriptor).st_nlink:
                self._sync(with_name=True)
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be made durable: {error}; look at the disk and run again"
            ) from error
        finally:
            os.close(self._descriptor)


def claim(path: Path) -> int | None:
    """Lock the journal of a process that died; None if its owner lives or it is gone. Close the descriptor to let go."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sync_folder(folder: Path) -> None:
    """Make renames and new names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
