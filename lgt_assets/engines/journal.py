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

Record = dict[str, Any]


def encode_record(record: Record) -> bytes:
    """A record as the bytes of one write."""
    payload = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


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


def read_content(content: bytes) -> JournalContent:
    """Take a journal's bytes apart, as far as they are whole."""
    if not content.startswith(MAGIC):
        # a writer killed within its first write leaves a beginning of the magic
        return JournalContent([], "" if MAGIC.startswith(content) else "it is not a journal of ours")
    records: list[tuple[int, Record]] = []
    start = len(MAGIC)
    while start < len(content):
        record, end = _decode_one(content, start)
        if record is None:
            return JournalContent(records, f"its tail after {len(records)} records is torn or damaged", content)
        records.append((start, record))
        start = end
    return JournalContent(records, "", content)


def read_record(descriptor: int, position: int) -> Record:
    """The record at ``position`` of an open journal.

    Raises:
        StorageError: there is no whole record.
    """
    header = os.pread(descriptor, _HEADER.size, position)
    length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else 0
    record, _end = _decode_one(header + os.pread(descriptor, length, position + _HEADER.size), 0)
    if record is None:
        raise StorageError(f"a journal of the response store was damaged while in use (byte {position}); run again")
    return record


def _decode_one(content: bytes, start: int) -> tuple[Record | None, int]:
    body = start + _HEADER.size
    if body > len(content):
        return None, start
    length, checksum = _HEADER.unpack_from(content, start)
    payload = content[body : body + length]
    if length > _MOST_RECORD_BYTES or len(payload) < length or zlib.crc32(payload) != checksum:
        return None, start
    try:
        record = json.loads(payload.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None, start
    return (record if isinstance(record, dict) else None), body + length


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
        try:
            # locked before it gets its name: nobody can claim it as a dead run's
            unnamed = path.with_name(f"{PARTIAL_PREFIX}{path.name}")
            self._descriptor = os.open(unnamed, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = 0
            self._write(MAGIC)
            unnamed.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageError(f"journal {path} cannot be created: {error}") from error
        self._syncer = threading.Thread(target=self._sync_regularly, name=f"fsync {path.name}", daemon=True)
        self._syncer.start()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def append(self, record: Record) -> int:
        """Write one record by one write(); its position in the file.

        Raises:
            StorageError: the disk refused it; nothing of the record stays in the file.
        """
        with self._lock:
            position = self._size
            try:
                self._write(encode_record(record))
            except OSError as error:
                raise StorageError(
                    f"completions can no longer be kept in {self.path}: {error}; make room and run again"
                ) from error
        self._dirty.set()
        return position

    def _write(self, content: bytes) -> None:
        written = os.write(self._descriptor, content)
        if written != len(content):
            os.ftruncate(self._descriptor, self._size)
            raise OSError(f"only {written} of {len(content)} bytes fitted")
        self._size += written

    def _sync_regularly(self) -> None:
        while not self._closing.wait(_SYNC_SECONDS):
            if self._dirty.is_set():
                self._dirty.clear()
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Sync, release the lock, leave the file. Closing twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._syncer.join()
        os.fsync(self._descriptor)
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
