"""The rules that close the gate below a shard: its model, its keys, its parents. Large shards are read a batch at a time."""

from collections.abc import Iterator

import polars as pl

from lgt_assets.errors import ValidationError
from lgt_assets.identity import LETTER_BY_TABLE, SHARD_KEY
from lgt_assets.quality.findings import Finding, Slice
from lgt_assets.schemas import SCHEMAS, polars_schema
from lgt_assets.validation import REFERENCES, Reference, orphans, validate_batches

EXAMPLES = 3
BATCH_ROWS = 20_000
# Columns whose ids name rows of any of several tables: an id's letter says of which.
ORIGINS = {"preference_pairs": ("chosen_id", "rejected_id"), "sft_mix": ("origin_id",)}


def key_column(table: str) -> str:
    """The column that holds the row ids of an asset's ``table``."""
    columns = SCHEMAS[table].to_schema().columns
    return next(name for name, column in columns.items() if column.unique and name.endswith("_id"))


def id_pattern(letter: str, shard: str = SHARD_KEY.pattern) -> str:
    """A regular expression that a whole row id must match."""
    return rf"^{letter}\.(?:{shard})\.[0-9a-f]{{16}}$"


def schema(rows: Slice) -> Finding:
    """Types, ranges and uniqueness, as the table's pandera model has them."""
    counted = 0

    def batches() -> Iterator[pl.DataFrame]:
        nonlocal counted
        counted = 0
        for batch in rows.scan().collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            counted += batch.height
            yield batch

    columns = len(polars_schema(rows.table))
    try:
        validate_batches(rows.table, batches)
    except ValidationError as error:
        return Finding(False, str(error), {"rows": counted, "columns": columns})
    return Finding(True, f"{counted} rows satisfy the model", {"rows": counted, "columns": columns})


def keys(rows: Slice) -> Finding:
    """Every row has an id of its own, well-formed, of this table and this shard: so no other shard or table can have it."""
    column = key_column(rows.table)
    own = id_pattern(LETTER_BY_TABLE[rows.table], rows.shard)
    found = rows.scan(column, "shard").with_columns(
        pl.col(column).str.contains(own).fill_null(False).alias("own"), pl.col(column).is_duplicated().alias("twice")
    )
    numbers: dict = found.select(
        pl.len().alias("rows"), pl.col(column).n_unique().alias("distinct"), (~pl.col("own")).sum().alias("malformed_or_foreign"),
        pl.col("twice").sum().alias("repeated"),
    ).collect(engine="streaming").row(0, named=True)  # fmt: skip
    if not numbers["malformed_or_foreign"] and not numbers["repeated"]:
        return Finding(True, f"{numbers['rows']} ids, each once", numbers)
    bad = found.filter(~pl.col("own") | pl.col("twice")).select(pl.col(column).head(EXAMPLES)).collect()
    said = (
        f"{column}: {numbers['malformed_or_foreign']} are not ids of {rows.table} in {rows.shard}, "
        f"{numbers['repeated']} come more than once: {', '.join(str(value) for value in bad[column])}"
    )
    return Finding(False, said, numbers)


def parents(rows: Slice) -> Finding:
    """Every row that is named exists, in this shard."""
    problems, numbers = [], {}
    for reference in (*REFERENCES[rows.table], *_origins(rows.table)):
        asked = rows.scan(reference.column)
        if not reference.is_list and reference.key == "":
            missing = _missing_origins(rows, reference)
        else:
            tables = [rows.scan(reference.key, table=name) for name in reference.tables]
            missing = orphans(asked, reference, tables)
        numbers[f"{reference.column} missing"] = missing.len()
        if missing.len():
            shown = ", ".join(missing.head(EXAMPLES))
            problems.append(f"{reference.column}: {missing.len()} not in {' or '.join(reference.tables)}: {shown}")
    return Finding(not problems, "; ".join(problems) or "every id named exists", numbers)


def referenced_tables(table: str) -> list[str]:
    """Tables that hold the rows which rows of ``table`` name."""
    references = (*REFERENCES[table], *_origins(table))
    return list(dict.fromkeys(name for reference in references for name in reference.tables))


def _origins(table: str) -> Iterator[Reference]:
    by_table = {"preference_pairs": ("distilled_cots", "expanded_traces")}
    tables = by_table.get(table, ("seed_questions", "composed_questions", "distilled_cots", "expanded_traces"))
    for column in ORIGINS.get(table, ()):
        yield Reference(column, tables, "")


def _missing_origins(rows: Slice, reference: Reference) -> pl.Series:
    named = rows.scan(reference.column).select(pl.col(reference.column).alias("id")).drop_nulls().unique()
    held = [
        rows.scan(key_column(name), table=name).select(pl.col(key_column(name)).alias("id"))
        for name in reference.tables
    ]
    return named.join(pl.concat(held), on="id", how="anti").sort("id").collect(engine="streaming")["id"]
