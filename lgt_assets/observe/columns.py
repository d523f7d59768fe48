"""An asset's columns as Dagit shows them: names, types, descriptions, and what each is made from.

The open-source web server hides every entry that is named and typed as Dagster's column lineage, in all its views (Dagster+ draws
a graph of it). The origins are therefore said once more where it does show them: in each column's description, and as a table.
"""

import dagster as dg

from lgt_assets.markdown import table_of
from lgt_assets.observe.column_lineage import column_lineage, columns_from, described
from lgt_assets.schemas import SCHEMAS

SCHEMA, LINEAGE, READABLE_LINEAGE = "dagster/column_schema", "dagster/column_lineage", "column lineage"


def column_metadata(table: str) -> dict[str, object]:
    """Definition metadata of the asset ``table``: column schema, and column lineage for machines and for people."""
    return {
        SCHEMA: column_schema(table), LINEAGE: column_lineage(table), READABLE_LINEAGE: readable_lineage(table),
    }  # fmt: skip


def column_schema(table: str) -> dg.TableSchema:
    """Column names, types and descriptions of ``table`` from its pandera model, each with its origin."""
    columns = SCHEMAS[table].to_schema().columns
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name, type=str(column.dtype), description=f"{column.description} {described(table, name)}",
                constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column.unique),
            )
            for name, column in columns.items()
        ]
    )  # fmt: skip


def readable_lineage(table: str) -> dg.MarkdownMetadataValue:
    """The same origins as a table with links to the upstream assets."""
    rows = []
    for column, pairs in columns_from(table).items():
        by_table: dict[str, list[str]] = {}
        for upstream, name in pairs:
            by_table.setdefault(upstream, []).append(f"`{name}`")
        origins = "; ".join(
            f"[{upstream}](/assets/{upstream}): {', '.join(names)}" for upstream, names in by_table.items()
        )
        rows.append([f"`{column}`", origins or "made here"])
    return dg.MetadataValue.md(table_of(["column", "made from"], rows))
