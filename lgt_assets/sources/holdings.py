"""What the shards of a source hold, as a file that can be looked up: adding to a source of a million keeps none of it in memory.

The file (SQLite) says nothing that the shards do not say. It is made again from them where it is missing, damaged, or speaks of
shards that are not those on disk, so deleting it is always safe.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from types import TracebackType

from lgt_assets.errors import SourceError

FORMAT = 4
# Kilobytes of each database's pages in memory: lookups go on from the system's cache of files.
_CACHE_KB = 2048
# Notes that wait to be written together.
_NOTES_AT_ONCE = 1000
_TABLES = """
create table shards (name text primary key, size integer, mtime_ns integer) without rowid;
create table pictures (
    sha256 blob primary key, external_id text, content blob, width integer, height integer, inspected integer,
    upright integer
) without rowid;
create table ids (external_id text primary key) without rowid;
create table removed (sha256 blob primary key) without rowid;
create table problems (key blob primary key, count integer) without rowid;
create table opened (
    place text primary key, size integer, mtime_ns integer, sha256 blob, width integer, height integer, orientation integer
) without rowid;
"""
_OF_THIS_PASS = """
create temp table met (sha256 blob primary key) without rowid;
create temp table occurred (key blob primary key, count integer) without rowid;
"""
Stamp = tuple[int, int]
Row = tuple[str, str | None, str, int, int, bool, bool]


class HoldingsFile:
    """Holdings of one source. One process at a time, which holds the source's lock, opens it; threads may share it."""

    def __init__(self, path: Path, shards: Mapping[str, Stamp]) -> None:
        """Open the file, anew where it does not fit ``shards``: size and time of each shard's file.

        Args:
            path: where it lies.
            shards: those on disk. :meth:`missing` says which of them are to be remembered first.
        """
        self._path, self._shards, self._lock = path, shards, Lock()
        self._met_since: set[bytes] = set()
        self._opened_since: list[tuple] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fits = self._open()
        except sqlite3.DatabaseError:
            fits = False
        if not fits:
            self._remove()
            self._open()

    def __enter__(self) -> "HoldingsFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; also after an error all that is in it is true, so all of it is kept.

        Raises:
            SourceError: it turned out to be damaged, or its disk to be full.
        """
        try:
            if not isinstance(error, sqlite3.DatabaseError):
                with self._lock:
                    self._write_notes()
                self._connection.commit()
        except sqlite3.DatabaseError as failed:
            error = failed
        finally:
            self._connection.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise SourceError(
                f"{self._path} cannot be used ({error}); see that its disk has room, delete it, and add again: it is made "
                "again from the shards"
            ) from error

    def missing(self) -> list[str]:
        """Shards on disk that the file does not know yet, in order."""
        known = {name for (name,) in self._connection.execute("select name from shards")}
        return [name for name in sorted(self._shards) if name not in known]

    def remember(
        self, shard: str, stamp: Stamp, pictures: Iterable[Row], problems: Iterable[str], removed: Iterable[str] = ()
    ) -> None:
        """Take in what a shard holds. Of an id that comes twice the first counts: give the shards in order.

        Args:
            shard: its key.
            stamp: size and time of its file.
            pictures: sha256, id, content key, width, height, whether it was opened, whether its boxes are upright.
            problems: their keys, those of removed ones as well.
            removed: sha256s of pictures that were taken down.
        """
        rows = [
            (bytes.fromhex(sha256), external_id, bytes.fromhex(content), *others)
            for sha256, external_id, content, *others in pictures
        ]
        with self._lock:
            run = self._connection
            self._write_notes()
            run.executemany("insert or ignore into pictures values (?, ?, ?, ?, ?, ?, ?)", rows)
            run.executemany("insert or ignore into removed values (?)", [(bytes.fromhex(one),) for one in removed])
            run.executemany("insert or ignore into ids values (?)", [row[1:2] for row in rows if row[1] is not None])
            run.executemany(
                "insert into problems values (?, 1) on conflict (key) do update set count = count + 1",
                [(bytes.fromhex(key),) for key in problems],
            )
            run.execute("insert or replace into shards values (?, ?, ?)", (shard, *stamp))
            run.commit()

    def picture(self, sha256: str) -> tuple[str | None, str, bool] | None:
        """Id and content key of a picture that is held, and whether its boxes are upright; None for one that is not held."""
        found = self._one("select external_id, content, upright from pictures where sha256 = ?", bytes.fromhex(sha256))
        return (found[0], found[1].hex(), bool(found[2])) if found else None

    def is_removed(self, sha256: str) -> bool:
        """Whether the picture was taken down: it is never admitted again."""
        return self._one("select 1 from removed where sha256 = ?", bytes.fromhex(sha256)) is not None

    def size_of(self, sha256: str) -> tuple[int, int] | None:
        """Width and height of a held picture that was opened and found whole: it need not be decoded again."""
        found = self._one(
            "select width, height from pictures where sha256 = ? and inspected", bytes.fromhex(sha256)
        )  # fmt: skip
        return (found[0], found[1]) if found else None

    def has_id(self, external_id: str) -> bool:
        """Whether a held picture has this id."""
        return self._one("select 1 from ids where external_id = ?", external_id) is not None

    def problem_count(self, key: str) -> int:
        """How many times shards hold this problem."""
        found = self._one("select count from problems where key = ?", bytes.fromhex(key))
        return found[0] if found else 0

    def meet(self, sha256: str) -> None:
        """Note that this pass met the picture."""
        self._met_since.add(bytes.fromhex(sha256))
        if len(self._met_since) >= _NOTES_AT_ONCE:
            with self._lock:
                self._write_notes()

    def is_met(self, sha256: str) -> bool:
        """Whether this pass met the picture before."""
        return (
            bytes.fromhex(sha256) in self._met_since
            or self._one("select 1 from met where sha256 = ?", bytes.fromhex(sha256)) is not None
        )

    def occur(self, key: str) -> int:
        """Note that this pass met the problem, and say how many times by now."""
        self._do(
            "insert into occurred values (?, 1) on conflict (key) do update set count = count + 1", bytes.fromhex(key)
        )
        return self._one("select count from occurred where key = ?", bytes.fromhex(key))[0]

    def opened(self, place: str, stamp: Stamp) -> tuple[str, int, int, int] | None:
        """sha256, width, height and EXIF's orientation of what was found whole at ``place`` when it had this size and time; None
        if that is not known.
        """
        found = self._one(
            "select sha256, width, height, orientation from opened where place = ? and size = ? and mtime_ns = ?",
            place,
            *stamp,
        )
        return (found[0].hex(), *found[1:]) if found else None

    def note_opened(self, place: str, stamp: Stamp, sha256: str, *looked: int) -> None:
        """Note for :meth:`opened` what was found: width, height, orientation. It is kept at the latest with the next shard."""
        self._opened_since.append((place, *stamp, bytes.fromhex(sha256), *looked))
        if len(self._opened_since) >= _NOTES_AT_ONCE:
            with self._lock:
                self._write_notes()

    def _write_notes(self) -> None:
        run = self._connection
        run.executemany("insert or replace into opened values (?, ?, ?, ?, ?, ?, ?)", self._opened_since)
        run.executemany("insert or ignore into met values (?)", [(sha256,) for sha256 in self._met_since])
        self._opened_since.clear()
        self._met_since.clear()

    def _one(self, statement: str, *values: object) -> tuple | None:
        with self._lock:
            return self._connection.execute(statement, values).fetchone()

    def _do(self, statement: str, *values: object) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _open(self) -> bool:
        """Connect; False where the file's shards are not those on disk."""
        self._connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            run = self._connection
            run.executescript(
                f"pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -{_CACHE_KB}; "
                f"pragma temp_store = file; pragma temp.cache_size = -{_CACHE_KB};"
            )
            (version,) = run.execute("pragma user_version").fetchone()
            if version == 0:
                run.executescript(f"begin; {_TABLES} pragma user_version = {FORMAT}; commit;")
            elif version != FORMAT:
                self._connection.close()
                return False
            run.executescript(_OF_THIS_PASS)
            known = run.execute("select name, size, mtime_ns from shards")
            if all(self._shards.get(name) == (size, mtime_ns) for name, size, mtime_ns in known):
                return True
        except BaseException:
            self._connection.close()
            raise
        self._connection.close()
        return False

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
