"""Who wrote a version of a table: the commits of a Delta table, with run and code version as assets note them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import StorageError

_CONDITION = re.compile(r"(\w+) = '([^']*)'")
UNKNOWN = "unknown"
_SAME_ROWS = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES")  # operations that change no row


@dataclass(frozen=True)
class Commit:
    """One version: when (milliseconds since 1970), which slice it replaced ("" for all), and which asset, run and code did so."""

    version: int
    timestamp: int
    shard: str
    asset: str
    writer: str
    run_id: str
    code_version: str
    operation: str = "WRITE"

    def touches(self, shard: str) -> bool:
        """Whether it may have replaced rows of a shard."""
        return self.shard in (shard, "") and self.operation not in _SAME_ROWS


@dataclass(frozen=True)
class History:
    """Commits of a table whose log is still there, newest first."""

    commits: tuple[Commit, ...]

    @cached_property
    def oldest(self) -> int:
        """The earliest version that the log still tells of."""
        return self.commits[-1].version

    def time_of(self, version: int) -> int | None:
        """When a version was written; None where the log no longer says."""
        return next((one.timestamp for one in self.commits if one.version == version), None)

    def written_at(self, shard: str, version: int) -> int | None:
        """When ``version``'s rows of a shard were written, by the newest commit up to it that touched the shard.

        Where the log tells of no such commit: when ``version`` was written.
        """
        found = (one.timestamp for one in self.commits if one.version <= version and one.touches(shard))
        return next(found, self.time_of(version))

    def same_since(self, shard: str, timestamp: int) -> range:
        """Versions that have the rows a shard had at a time; empty where there was none or the log no longer says."""
        start = self.version_at(timestamp)
        later = [one.version for one in self.commits if one.timestamp > timestamp and one.touches(shard)]
        end = min(later, default=self.commits[0].version + 1)
        if start is None:
            # A log that was cleaned up tells of no commit that touched the shard from its oldest one to ``end``.
            start = self.oldest if self.oldest > 0 else end
        earlier = (one.version for one in self.commits if one.version <= start and one.touches(shard))
        return range(next(earlier, start), end)

    def version_at(self, timestamp: int) -> int | None:
        """The latest version at a time; None where there was none or the log no longer says."""
        return next((one.version for one in self.commits if one.timestamp <= timestamp), None)

    def last_written(self, version: int) -> Commit:
        """The newest commit up to a version that may have changed rows; where the log tells of none, its oldest."""
        found = (one for one in self.commits if one.version <= version and one.operation not in _SAME_ROWS)
        return next(found, self.commits[-1])

    def before_run(self, run_id: str) -> int:
        """The version before a run's first commit; the latest where it wrote none."""
        return (
            min((one.version for one in self.commits if one.run_id == run_id), default=self.commits[0].version + 1) - 1
        )

    def knows(self, shard: str, version: int) -> bool:
        """Whether a shard had been written by ``version``, be it with no rows; a log that was cleaned up says yes."""
        return self.oldest > 0 or any(one.version <= version and one.shard == shard for one in self.commits)

    def code_of(self, shard: str, asset: str, version: int) -> str:
        """Code version that last wrote a slice up to ``version``; "" where no commit says."""
        places = {(shard, asset), (shard, "")}
        found = (one for one in self.commits if one.version <= version and (one.shard, one.asset) in places)
        return next((one.code_version for one in found), "")

    def between(self, start: int, end: int, shards: Iterable[str]) -> list[dict]:
        """Who wrote versions after ``start`` up to ``end`` of these shards: run_id, asset, code_version, commits, versions."""
        wanted, runs = {*shards, ""}, {}
        for one in reversed(self.commits):
            if start < one.version <= end and one.shard in wanted and one.operation not in _SAME_ROWS:
                runs.setdefault((one.run_id, one.writer, one.code_version), []).append(one.version)
        return [
            {"run_id": run or UNKNOWN, "asset": writer or UNKNOWN, "code_version": code or UNKNOWN, "commits": len(versions),
             "versions": [versions[0], versions[-1]]}
            for (run, writer, code), versions in runs.items()
        ]  # fmt: skip


def read_history(folder: TableFolder, table: str) -> History:
    """All commits of a table that its log still tells of.

    Raises:
        NotFoundError: there is no such table.
    """
    # Of the latest version: opened at an earlier one, deltalake 1.6 lists all commits, too, and numbers them wrongly.
    return History(tuple(_commit(entry) for entry in folder.open(table).delta.history()))


def versions_at(folder: TableFolder, table: str, version: int, others: Iterable[str]) -> dict[str, int]:
    """Versions that other tables had when ``version`` of ``table`` was written; those that were not there yet are left out.

    Raises:
        NotFoundError: there is no such table.
        StorageError: the table's log does not say when that was.
    """
    time = read_history(folder, table).time_of(version)
    if time is None:
        raise StorageError(f"the log of {table} does not say when version {version} was written; choose another")
    found = {name: read_history(folder, name).version_at(time) for name in others if folder.exists(name)}
    return {name: held for name, held in found.items() if held is not None} | {table: version}


def versions_before_last_run(folder: TableFolder, table: str, others: Iterable[str]) -> dict[str, int]:
    """Versions of ``table`` and others before the last run that wrote ``table``; what it did not write is as it is now.

    Where the last commit that changed rows names no run, only that commit is undone. Tables that are not there are left out.

    Raises:
        NotFoundError: there is no such table.
    """
    history = read_history(folder, table)
    last = history.last_written(history.commits[0].version)
    run_id = last.run_id
    found = {name: read_history(folder, name) for name in others if folder.exists(name)}
    own = history.before_run(run_id) if run_id else last.version - 1
    return {name: held.before_run(run_id) if run_id else held.commits[0].version for name, held in found.items()} | {
        table: own
    }


def _commit(entry: dict) -> Commit:
    replaced = dict(_CONDITION.findall(str(entry.get("operationParameters", {}).get("predicate") or "")))
    return Commit(
        entry["version"], entry["timestamp"], replaced.get("shard", ""), replaced.get("asset", ""),
        *(str(entry.get(name) or "") for name in ("lgt_asset", "run_id", "code_version", "operation")),
    )  # fmt: skip
