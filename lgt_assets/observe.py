"""What Dagit shows of a table: its columns and a few of its rows."""

import html

import dagster as dg
import polars as pl

from lgt_assets.schemas import SCHEMAS

PREVIEW_ROWS = 6
CELL_CHARACTERS = 120
HIDDEN_COLUMNS = ("shard", "ordinal", "request_key", "sha256", "uri", "votes")


def column_schema(table: str) -> dg.TableSchema:
    """Column names, types and descriptions of ``table`` from its pandera model."""
    columns = SCHEMAS[table].to_schema().columns
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=name, type=str(column.dtype), description=column.description or "")
            for name, column in columns.items()
        ]
    )


def preview(table: str, rows: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    """Metadata with up to :data:`PREVIEW_ROWS` rows as a markdown table; model-written text is escaped."""
    names = [name for name in rows.columns if name not in HIDDEN_COLUMNS]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += [
        "| " + " | ".join(_cell(row[name]) for name in names) + " |"
        for row in rows.head(PREVIEW_ROWS).iter_rows(named=True)
    ]
    return {"preview": dg.MetadataValue.md("\n".join(lines))} if rows.height else {}


def _cell(value: object) -> str:
    text = str(value)
    short = text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"
    escaped = html.escape(short).replace("|", "&#124;").replace("\r", " ").replace("\n", " ")
    return "".join(f"&#{ord(char)};" if char in "[]()*_`~!\\#" else char for char in escaped)
