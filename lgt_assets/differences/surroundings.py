"""What the tables around one said of a shard at the time of a version: the evidence for why rows came and went."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lgt_assets.delta_files import Slice, TableFiles, TableFolder
from lgt_assets.differences.history import History, read_history
from lgt_assets.differences.reasons import Surroundings
from lgt_assets.errors import NotFoundError
from lgt_assets.lineage.declarations import KEYS, WRITTEN_BY_MODELS, references_of

_ASKED = ("request_key", "role", "model", "revision", "template_hash", "sampling")


@dataclass
class Around:
    """The tables of a folder as they were when one version of ``table`` was written.

    Attributes:
        time: milliseconds since 1970; None: as they are now.
        history, version: of ``table`` itself, for the code that wrote its slices.
    """

    folder: TableFolder
    table: str
    history: History
    version: int
    time: int | None
    _opened: dict[str, TableFiles | None] = field(default_factory=dict)

    def surroundings(self, shard: str) -> Surroundings:
        """What was said of one shard."""
        parents = {name for reference in references_of(self.table) for name in reference.tables}
        rejections = self._read("rejections", shard, ("request_key", "reason"), asset=self.table)
        generations = self._asked(shard, rejections)
        keys = {name: self._read(name, shard, (KEYS[name],)) for name in sorted(parents)}
        return Surroundings(
            rejections, generations, {name: rows[KEYS[name]] for name, rows in keys.items() if rows is not None},
            self.history.code_of(shard, "", self.version),
        )  # fmt: skip

    def _asked(self, shard: str, rejections: pl.DataFrame | None) -> pl.DataFrame | None:
        """The completions that the rows and rejections came from: the table keeps those that nothing names any more, too."""
        if rejections is None or self.table not in WRITTEN_BY_MODELS:  # without rejections, what was asked is not known
            return None
        generations, rows = self._read("generations", shard, _ASKED), self._read(self.table, shard, ("request_key",))
        if generations is None or rows is None:
            return None
        named = pl.concat([rows, rejections.select("request_key")])
        return generations.join(named, on="request_key", how="semi")

    def _read(self, table: str, shard: str, columns: Sequence[str], asset: str | None = None) -> pl.DataFrame | None:
        """Columns of the shard's rows then; None where the table, its log or its files are no longer there."""
        files = self._open(table)
        if files is None:
            return None
        slices = [one for one in files.of(shard) if asset in (None, one.asset)]
        if not all(map(_is_there, slices)):
            return None
        rows = files.scan(slices).select(columns).collect()
        return rows.unique("request_key", keep="first") if table == "generations" else rows

    def _open(self, table: str) -> TableFiles | None:
        if table not in self._opened:
            self._opened[table] = self._opened_at(table)
        return self._opened[table]

    def _opened_at(self, table: str) -> TableFiles | None:
        if not self.folder.exists(table):
            return None
        if table == self.table:
            return self.folder.open(table, self.version)
        latest = self.folder.open(table)
        if self.time is None:
            return latest
        version = read_history(self.folder, table).version_at(self.time)
        try:
            return None if version is None else self.folder.open(table, version)
        except NotFoundError:  # its log was cleaned up: what it said then cannot be known, and the reasons say less
            return None


def _is_there(one: Slice) -> bool:
    return all("://" in name or Path(name).exists() for name in one.files)
