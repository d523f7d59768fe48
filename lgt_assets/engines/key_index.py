"""Which keys a store holds and where: in a private SQLite file that vanishes with the process, so that memory stays flat."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

_CACHE_KIB = 4096


class Place(NamedTuple):
    """Where a record lies: the number of its file, and its byte or row there."""

    file: int
    position: int


def _temporary(*statements: str) -> sqlite3.Connection:
    """A database without a name: SQLite keeps it in its cache and spills to a file it has already unlinked."""
    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    for statement in (f"PRAGMA cache_size=-{_CACHE_KIB}", "PRAGMA journal_mode=OFF", *statements, "BEGIN"):
        database.execute(statement)
    return database


class KeyIndex:
    """Places by request_key. Not for several threads at once."""

    def __init__(self) -> None:
        self._database = _temporary(
            "CREATE TABLE places (key BLOB PRIMARY KEY, asset TEXT, file INTEGER, position INTEGER) WITHOUT ROWID"
        )

    def __len__(self) -> int:
        return self._database.execute("SELECT count(*) FROM places").fetchone()[0]

    def get(self, key: str) -> Place | None:
        """Where the record of ``key`` lies."""
        row = self._database.execute("SELECT file, position FROM places WHERE key=?", (_packed(key),)).fetchone()
        return None if row is None else Place(*row)

    def add(self, key: str, asset: str, place: Place) -> bool:
        """Note a new key; False, and nothing changes, where it is known."""
        done = self._database.execute("INSERT OR IGNORE INTO places VALUES (?,?,?,?)", (_packed(key), asset, *place))
        return done.rowcount == 1

    def move(self, key: str, asset: str, place: Place) -> None:
        """Note that another record counts for a known key."""
        self._database.execute(
            "UPDATE places SET asset=?, file=?, position=? WHERE key=?", (asset, *place, _packed(key))
        )

    def refile(self, keys: Iterable[str], old: Iterable[int], new: int) -> None:
        """The records of ``keys`` that lay in the files ``old`` now lie in ``new``, one after the other."""
        files = ",".join(str(int(file)) for file in old)
        self._database.executemany(
            f"UPDATE places SET file=?, position=? WHERE key=? AND file IN ({files})",
            ((new, position, _packed(key)) for position, key in enumerate(keys)),
        )

    def count(self, asset: str) -> int:
        """Keys that ``asset`` paid for."""
        return self._database.execute("SELECT count(*) FROM places WHERE asset=?", (asset,)).fetchone()[0]

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


class KeySet:
    """Keys seen. Not for several threads at once."""

    def __init__(self) -> None:
        self._database = _temporary("CREATE TABLE keys (key BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, key: str) -> bool:
        """Note ``key``; whether it is new."""
        return self._database.execute("INSERT OR IGNORE INTO keys VALUES (?)", (_packed(key),)).rowcount == 1

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _packed(key: str) -> bytes:
    """64 hexadecimal digits as 32 bytes."""
    return bytes.fromhex(key)
