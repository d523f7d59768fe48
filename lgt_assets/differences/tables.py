"""What differs between two versions of a table: rows that came, went and changed, by reason; equal files are skipped."""

import fnmatch
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from lgt_assets.delta_files import Slice, TableFiles, TableFolder, require_files
from lgt_assets.differences.history import read_history
from lgt_assets.differences.reasons import REASON, reasons
from lgt_assets.differences.rows import KEY, RowDifference, difference, key_expression
from lgt_assets.differences.surroundings import Around
from lgt_assets.errors import NotFoundError
from lgt_assets.lineage.declarations import KEYS, LABELS, references_of

# What identifies a row, for tables that lineage does not follow, too.
TABLE_KEYS: dict[str, tuple[str, ...]] = {name: (key,) for name, key in KEYS.items()} | {
    "release": ("release_id",), "generations": ("request_key",), "failures": ("request_key",), "funnel": ("shard", "asset"),
    "shard_members": ("shard", "image_id"), "audits": ("row_id", "auditor"), "picture_hashes": ("image_id",),
    "release_exclusions": ("release_id", "row_id"), "takedowns": ("image_id",),
    "evaluations": ("number", "suite", "type"),
}  # fmt: skip
NOT_COMPARED = ("shard", "asset", "ordinal")
VALUE_CHARACTERS, LABEL_CHARACTERS = 200, 100
KINDS = ("removed", "added", "changed")


@dataclass
class TableDifference:
    """The sum over all slices that differ.

    Attributes:
        slices: how many are the ``same``, were ``compared``, and are ``new`` or ``gone`` among those.
        rows: ``removed``, ``added``, ``changed``, ``moved`` (their ordinal alone differs), ``unchanged`` (in compared slices).
        reasons: for removed, added and changed: rows by reason.
        columns: changed rows by column that differs; a row counts for each of its columns.
        columns_only: columns that only one version has; they are not compared.
        runs: who wrote the versions between, of the compared shards.
        examples: some rows of each kind: key, reason, label, and for changed ones the values before and after.
    """

    table: str
    start: int
    end: int
    slices: Counter = field(default_factory=Counter)
    rows: Counter = field(default_factory=Counter)
    reasons: dict[str, Counter] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    columns: Counter = field(default_factory=Counter)
    columns_only: dict[str, list[str]] = field(default_factory=dict)
    runs: list[dict] = field(default_factory=list)
    examples: dict[str, list[dict]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def diff_table(
    folder: TableFolder,
    table: str,
    *,
    start: int | None = None,
    end: int | None = None,
    shards: str = "*",
    limit: int = 3,
) -> TableDifference:
    """Compare two versions of ``table``, a slice at a time.

    Args:
        folder: the tables.
        table: its name.
        start, end: versions; by default the latest, and the one before rows were last written up to it.
        shards: which, by shell pattern.
        limit: examples of each kind.

    Raises:
        NotFoundError: no such table or version, or data files of one were vacuumed.
    """
    new = _open(folder, table, end)
    history = read_history(folder, table)
    old = _open(folder, table, history.last_written(new.version).version - 1 if start is None else start)
    found = TableDifference(table, old.version, new.version)
    shared = [name for name in old.schema if name in new.schema]
    found.columns_only = {
        name: [column for column in files.schema if column not in shared]
        for name, files in (("from", old), ("to", new))
        if len(files.schema) > len(shared)
    }
    compared = [name for name in shared if name not in (*TABLE_KEYS[table], *NOT_COMPARED)]
    pairs = list(_pairs(old, new, shards, found.slices))
    for files, slices in ((old, [a for a, _ in pairs if a]), (new, [b for _, b in pairs if b])):
        require_files(files, slices)
    first = Around(folder, table, history, old.version)
    sides = first, replace(first, version=new.version)  # what one has opened, the other need not
    for before, after in pairs:
        _add(found, Comparison(old, new, before, after), compared, sides, limit)
    found.runs = history.between(*sorted((old.version, new.version)), {(a or b).shard for a, b in pairs})
    return found


@dataclass(frozen=True)
class Comparison:
    """One slice in both versions; None where a version has none of its rows."""

    old: TableFiles
    new: TableFiles
    before: Slice | None
    after: Slice | None

    @property
    def shard(self) -> str:
        """The slice's shard."""
        return (self.before or self.after).shard

    @property
    def asset(self) -> str:
        """The slice's asset; "" where the table is not cut by assets."""
        return (self.before or self.after).asset

    def frames(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Rows before and after."""
        return self.old.scan([self.before] if self.before else []), self.new.scan([self.after] if self.after else [])


def _open(folder: TableFolder, table: str, version: int | None) -> TableFiles:
    if table not in TABLE_KEYS:
        raise NotFoundError(f"there is no table {table}; there are {', '.join(TABLE_KEYS)}")
    latest = folder.open(table)
    if version is None or version == latest.version:
        return latest
    if version == -1:
        raise NotFoundError(f"table {table} has no version before 0 to compare with: say --from and --to")
    if version > latest.version:
        raise NotFoundError(f"table {table} has versions up to {latest.version}; there is no version {version}")
    return folder.open(table, version)


def _pairs(
    old: TableFiles, new: TableFiles, shards: str, count: Counter
) -> Iterator[tuple[Slice | None, Slice | None]]:
    """Slices of both versions whose files are not the same."""
    before, after = ({(one.shard, one.asset): one for one in files.slices} for files in (old, new))
    for place in sorted(before.keys() | after.keys()):
        if not fnmatch.fnmatchcase(place[0], shards):
            continue
        one, other = before.get(place), after.get(place)
        if one and other and one.files == other.files:
            count["same"] += 1
            continue
        count["compared"] += 1
        count["new"] += one is None
        count["gone"] += other is None
        yield one, other


def _add(
    found: TableDifference, one: Comparison, compared: Sequence[str], sides: tuple[Around, Around], limit: int
) -> None:
    """Compare one slice and count it."""
    before, after = one.frames()
    rows = difference(before, after, TABLE_KEYS[found.table], compared)
    told = {
        "removed": _told(found.table, before, rows.removed, one, sides, came=False),
        "added": _told(found.table, after, rows.added, one, sides, came=True),
        "changed": _changes(rows, one, sides),
    }
    found.rows.update(
        {"removed": len(rows.removed), "added": len(rows.added), "changed": rows.changed.height, "moved": rows.moved,
         "unchanged": rows.unchanged}
    )  # fmt: skip
    found.columns.update(rows.changed["columns"].explode().to_list())
    for kind, frame in told.items():
        found.reasons[kind].update(dict(frame.group_by(REASON).len().iter_rows()))
        wanted = frame.sort(KEY).head(max(0, limit - len(found.examples[kind])))
        found.examples[kind] += _examples(found.table, wanted, before, after, rows)


def _told(
    table: str, frame: pl.LazyFrame, keys: pl.Series, one: Comparison, sides: tuple[Around, Around], *, came: bool
) -> pl.DataFrame:
    """A reason for each of ``keys``, rows of ``frame`` that the other version lacks."""
    if not len(keys):
        return pl.DataFrame(schema={KEY: pl.String, REASON: pl.String})
    schema = frame.collect_schema()
    if table == "rejections":
        own = frame.select(
            key_expression(TABLE_KEYS[table]), pl.concat_str("asset", pl.lit(": "), "reason").alias(REASON)
        )
        return own.filter(pl.col(KEY).is_in(keys.implode())).collect()
    if came and one.before is None and not sides[0].history.knows(one.shard, sides[0].version):
        return keys.to_frame(KEY).with_columns(pl.lit("shard new").alias(REASON))
    if table not in KEYS:
        return keys.to_frame(KEY).with_columns(pl.lit("not told").alias(REASON))
    references = [reference for reference in references_of(table) if reference.column in schema]
    parents = {reference.column: reference.tables for reference in references}
    named = [
        (pl.col(reference.column) if reference.is_list else pl.concat_list(reference.column)).alias(reference.column)
        for reference in references
    ]
    own = [pl.col("request_key")] if "request_key" in schema else []
    rows = frame.select(key_expression(TABLE_KEYS[table]), *own, *named)
    rows = rows.filter(pl.col(KEY).is_in(keys.implode())).collect()
    here, there = (sides[1], sides[0]) if came else sides
    return reasons(rows, here.surroundings(one.shard), there.surroundings(one.shard), came=came, parents=parents)


def _changes(rows: RowDifference, one: Comparison, sides: tuple[Around, Around]) -> pl.DataFrame:
    """A reason for each row that changed: its completion, or else the code that wrote it."""
    old, new = (side.history.code_of(one.shard, one.asset, side.version) for side in sides)
    otherwise = "same code" if old == new else f"code changed: {old} to {new}"
    otherwise = otherwise if old and new else "code not known"
    named = pl.col("columns").list.contains("request_key")
    return rows.changed.select(
        KEY, pl.when(named).then(pl.lit("completion changed")).otherwise(pl.lit(otherwise)).alias(REASON)
    )


def _examples(
    table: str, wanted: pl.DataFrame, before: pl.LazyFrame, after: pl.LazyFrame, rows: RowDifference
) -> Iterator[dict]:
    """The rows of ``wanted`` (key, reason) with what is said of them in one line, and what changed."""
    if not wanted.height:
        return
    keys = wanted[KEY].implode()
    old, new = (
        {
            row[KEY]: row
            for row in frame.with_columns(key_expression(TABLE_KEYS[table]))
            .filter(pl.col(KEY).is_in(keys))
            .collect()
            .to_dicts()
        }
        for frame in (before, after)
    )
    changed = dict(rows.changed.filter(pl.col(KEY).is_in(keys)).iter_rows())
    for key, reason in wanted.iter_rows():
        row = new.get(key) or old[key]
        label = ", ".join(str(row[name]) for name in LABELS.get(table, ()) if name in row)
        values = {name: [_short(old[key][name]), _short(new[key][name])] for name in changed.get(key, ())}
        yield {"key": key, "reason": reason, "label": _short(label, LABEL_CHARACTERS)} | (
            {"columns": values} if values else {}
        )


def _short(value: object, characters: int = VALUE_CHARACTERS) -> str:
    text = str(value)
    return text if len(text) <= characters else text[: characters - 1] + "…"
