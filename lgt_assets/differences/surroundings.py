"""What the tables around one said of a shard when its rows were written: the evidence for why rows came and went."""

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
    """The tables of a folder as they were when a shard's rows of one version of ``table`` were written.

    Not as they were when the table reached the version: runs go layer by layer, so a table that is half remade has shards whose
    parents are newer than they are.

    Attributes:
        history, version: of ``table`` itself, for when its slices were written, and by which code.
    """

    folder: TableFolder
    table: str
    history: History
    version: int
    _histories: dict[str, History | None] = field(default_factory=dict)
    _opened: dict[str, dict[int, TableFiles]] = field(default_factory=dict)  # by table and version

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
        files = self._open(table, shard)
        if files is None:
            return None
        slices = [one for one in files.of(shard) if asset in (None, one.asset)]
        if not all(map(_is_there, slices)):
            return None
        rows = files.scan(slices).select(columns).collect()
        return rows.unique("request_key", keep="first") if table == "generations" else rows

    def _open(self, table: str, shard: str) -> TableFiles | None:
        """A version that has the shard's rows of then; one that other shards opened, if it will do."""
        opened, history = self._opened.setdefault(table, {}), self._history(table)
        time = self.history.written_at(shard, self.version)
        if history is None or time is None:
            return None
        own = range(self.version, self.version + 1)
        wanted = own if table == self.table else history.same_since(shard, time)
        found = next((files for version, files in opened.items() if version in wanted), None)
        if found is None and wanted:
            try:
                found = opened[wanted[-1]] = self.folder.open(table, wanted[-1])
            except NotFoundError:  # its log was cleaned up: what it said then cannot be known, and the reasons say less
                return None
        return found

    def _history(self, table: str) -> History | None:
        if table not in self._histories:
            self._histories[table] = read_history(self.folder, table) if self.folder.exists(table) else None
        return self._histories[table]


def _is_there(one: Slice) -> bool:
    return all("://" in name or Path(name).exists() for name in one.files)
