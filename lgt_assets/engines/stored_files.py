"""The two kinds of files in a response store: journals being written, and sealed chunks (zstd Parquet, sorted by key)."""

import hashlib
import io
import logging
import os
import re
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from lgt_assets.engines.completion_records import COLUMNS, is_whole
from lgt_assets.engines.journal import (
    PARTIAL_PREFIX,
    JournalContent,
    JournalFrames,
    Record,
    read_content,
    read_frames,
    read_record,
    sync_folder,
)
from lgt_assets.errors import StorageError

JOURNAL_NAME = re.compile(r"journal-[0-9a-f]{32}\.lgtj")
CHUNK_NAME = re.compile(r"chunk-[0-9a-f]{32}\.parquet")
SET_ASIDE = "set-aside"
Publish = Callable[[Path, str, Path], None]
_ROW_GROUP = 512
_CACHED_CHUNKS = 3
_log = logging.getLogger(__name__)


class JournalFile:
    """A journal for reading; stays readable after its owner has sealed and removed it.

    Raises:
        FileNotFoundError: it is gone already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)

    def content(self) -> JournalContent:
        """Whole records with their positions, and what is wrong with the file after them; the file is read and decoded anew.

        What is not a completion is left out with a warning.
        """
        read = read_content(os.pread(self._descriptor, self.size, 0))
        whole = [(position, record) for position, record in read.records if is_whole(record)]
        if len(whole) < len(read.records):
            _log.warning("%s: skipped a record without the columns of a completion", self.path)
        return JournalContent(whole, read.fault, read.content)

    def frames(self) -> JournalFrames:
        """Whole records as they were written, and what is wrong with the file after them; the file is read anew."""
        return read_frames(os.pread(self._descriptor, self.size, 0))

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def record(self, position: int) -> Record:
        """The record at ``position``.

        Raises:
            StorageError: the file was damaged while in use.
        """
        return read_record(self._descriptor, position)

    def close(self) -> None:
        """Let go of the file. Closing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class ChunkFile:
    """A sealed chunk; positions are rows."""

    def __init__(self, path: Path, cache: "ChunkCache") -> None:
        self.path = path
        self._cache = cache

    def record(self, position: int) -> Record:
        """The record in row ``position``.

        Raises:
            StorageError: the chunk vanished or was damaged while in use.
        """
        return self._cache.frame(self.path).row(position, named=True)

    def close(self) -> None:
        """Nothing to let go of."""


class ChunkCache:
    """The chunks read last, decoded: requests are asked for in nearly the order they were answered in."""

    def __init__(self) -> None:
        self._frames: OrderedDict[Path, pl.DataFrame] = OrderedDict()

    def frame(self, path: Path) -> pl.DataFrame:
        """All rows of a chunk.

        Raises:
            StorageError: it cannot be read.
        """
        if path not in self._frames:
            while len(self._frames) >= _CACHED_CHUNKS:
                self._frames.popitem(last=False)
            try:
                self._frames[path] = read_chunk(path)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise StorageError(
                    f"{path} was damaged while in use: {error}; run again: it is set aside then"
                ) from error
        self._frames.move_to_end(path)
        return self._frames[path]


def journal_paths(folder: Path) -> list[Path]:
    """The journals in a shard's folder, by name."""
    return [path for path in _paths(folder) if JOURNAL_NAME.fullmatch(path.name)]


def chunk_paths(folder: Path) -> list[Path]:
    """The chunks in a shard's folder, by name, with a warning for what is no file of ours."""
    for path in _paths(folder):
        ours = JOURNAL_NAME.fullmatch(path.name) or CHUNK_NAME.fullmatch(path.name) or path.name == SET_ASIDE
        if not ours and not path.name.startswith(PARTIAL_PREFIX):
            _log.warning("%s is no file of the response store and is skipped", path)
    return [path for path in _paths(folder) if CHUNK_NAME.fullmatch(path.name)]


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def read_chunk(path: Path | io.BytesIO) -> pl.DataFrame:
    """Rows of a chunk, with just the columns of a completion; a torn or foreign file is an error of polars or the system.

    Raises:
        OSError, polars.exceptions.PolarsError: not a chunk of ours.
    """
    held = pl.read_parquet(path, memory_map=False)
    if "endpoint" not in held.columns:  # a chunk of before completions named theirs
        held = held.with_columns(endpoint=pl.lit(None, pl.String))
    return held.select(list(COLUMNS)).cast(COLUMNS)


def content_name(encoded: Iterable[bytes]) -> str:
    """The name of the chunk that holds these encoded records: the same sealed twice is one file, and a changed one is found."""
    content = hashlib.sha256()
    for record in encoded:
        content.update(record)
    return f"chunk-{content.hexdigest()[:32]}.parquet"


def write_chunk(folder: Path, ordered: pl.DataFrame, encoded: Iterable[bytes], publish: Publish | None = None) -> Path:
    """Write records, sorted by key, as one chunk that a power cut cannot take.

    Args:
        folder: the shard's.
        ordered: the records.
        encoded: the same as bytes.
        publish: given folder, name and a file with the chunk, before it gets its name.

    Raises:
        OSError, polars.exceptions.PolarsError: it cannot be written; no half of it stays.
        StorageError: raised by ``publish``.
    """
    path = folder / content_name(encoded)
    partial = folder / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
    try:
        with partial.open("wb") as stream:
            ordered.write_parquet(stream, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP)
            stream.flush()
            os.fsync(stream.fileno())
        if publish is not None:
            publish(folder, path.name, partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def set_aside(path: Path, why: str) -> None:
    """Move a file that is no good out of the way, where people can look at it, and say so."""
    folder = path.parent / SET_ASIDE
    target = folder / f"{path.name}.{uuid.uuid4().hex[:8]}"
    try:
        folder.mkdir(exist_ok=True)
        path.rename(target)
    except OSError as error:
        _log.warning("%s is skipped (%s); it cannot be set aside: %s", path, why, error)
        return
    _log.warning("%s is skipped: %s; set aside as %s", path, why, target)
