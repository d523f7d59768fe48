"""Rows against the data dictionary and against their parents; pure, used by assets before writing and by checks after."""

from collections.abc import Callable, Iterable

import polars as pl
from pandera.errors import SchemaErrors

from lgt_assets.errors import ValidationError
from lgt_assets.references import QUESTION_TABLES as QUESTION_TABLES
from lgt_assets.references import REFERENCES as REFERENCES
from lgt_assets.references import Reference as Reference
from lgt_assets.schemas import SCHEMAS

BLOCKING_CHECKS = ("schema", "keys", "parents")
EXAMPLES = 3


def validate(table: str, rows: pl.DataFrame) -> None:
    """Check ``rows`` (eager) against the table's pandera model.

    Raises:
        ValidationError: names the table, and for each broken rule the column, how many rows, and examples.
    """
    try:
        SCHEMAS[table].validate(rows, lazy=True)
    except SchemaErrors as error:
        raise ValidationError(f"table {table}: {_describe(error.failure_cases)}") from error


def validate_batches(table: str, batches: Callable[[], Iterable[pl.DataFrame]]) -> None:
    """Check rows that come a frame at a time; of those seen, only a hash of each value that must be unique stays in memory.

    Args:
        table: its name.
        batches: gives the frames; called again where a value may come twice.

    Raises:
        ValidationError: as :func:`validate`; the rows it names are counted from their frame's first.
    """
    unique = [name for name, column in SCHEMAS[table].to_schema().columns.items() if column.unique]
    seen: list[pl.DataFrame] = []
    for rows in batches():
        validate(table, rows)
        seen.append(rows.select(pl.col(unique).hash()))
    if len(seen) < 2:
        return
    hashes = pl.concat(seen)
    for name in unique:
        suspect = hashes[name].filter(hashes[name].is_duplicated()).unique()
        if suspect.len():
            _require_unique(
                table, name, [rows[name].filter(rows[name].hash().is_in(suspect.implode())) for rows in batches()]
            )


def _require_unique(table: str, name: str, suspects: list[pl.Series]) -> None:
    keys = pl.concat(suspects)
    twice = keys.filter(keys.is_duplicated()).unique().sort()
    if twice.len():
        shown = ", ".join(str(key) for key in twice.head(EXAMPLES))
        raise ValidationError(f"table {table}: {name} breaks 'field_uniqueness' for {twice.len()} keys ({shown})")


def _describe(cases: pl.DataFrame) -> str:
    """Failure cases by rule: how many, and the first few."""
    parts = []
    for (column, check), group in cases.group_by("column", "check", maintain_order=True):
        examples = ", ".join(str(value)[:80] for value in group["failure_case"].head(EXAMPLES))
        rows = ", ".join(str(index) for index in group["index"].head(EXAMPLES) if index is not None)
        parts.append(f"{column} breaks {check!r} in {group.height} rows (rows {rows or '?'}: {examples})")
    return "; ".join(parts)


def orphans(rows: pl.LazyFrame, reference: Reference, parents: Iterable[pl.LazyFrame]) -> pl.Series:
    """Distinct ids in ``rows`` that ``reference`` names and none of ``parents`` has as key, sorted.

    Args:
        rows: of the table that names its parents.
        reference: which column, and the parents' key.
        parents: rows of the tables pointed to; only their key is read.
    """
    named = rows.select(pl.col(reference.column).alias("id"))
    named = (named.explode("id") if reference.is_list else named).drop_nulls().unique()
    keys = pl.concat([parent.select(pl.col(reference.key).alias("id")) for parent in parents])
    return named.join(keys, on="id", how="anti").sort("id").collect(engine="streaming")["id"]
