"""Every column says what it is made from, and what it names exists."""

import dagster as dg
import pytest

from lgt_assets.definitions import defs
from lgt_assets.observe.column_lineage import LINEAGE, column_lineage, columns_from, described
from lgt_assets.observe.columns import column_metadata, column_schema, readable_lineage
from lgt_assets.schemas import SCHEMAS, polars_schema

GRAPH = defs.resolve_asset_graph()
ASSETS = sorted(
    key.to_user_string() for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).group_name != "post_training"
)


def test_every_table_is_declared_and_nothing_else() -> None:
    assert sorted(LINEAGE) == ASSETS


@pytest.mark.parametrize("table", ASSETS)
def test_every_column_is_declared_in_the_table_s_order_or_not_but_no_other(table: str) -> None:
    assert set(LINEAGE[table]) == set(polars_schema(table)), "declare what a new column is made from, or OWN"


@pytest.mark.parametrize("table", ASSETS)
def test_every_upstream_column_exists_in_a_table_that_the_asset_reads(table: str) -> None:
    read = {key.to_user_string() for key in GRAPH.get(dg.AssetKey(table)).parent_keys}
    for column, pairs in columns_from(table).items():
        assert len(pairs) == len(set(pairs)), column
        for upstream, name in pairs:
            assert upstream in read, (column, upstream)
            assert name in polars_schema(upstream), (column, upstream, name)


def test_every_upstream_table_is_used() -> None:
    for table in ASSETS:
        read = {key.to_user_string() for key in GRAPH.get(dg.AssetKey(table)).parent_keys}
        used = {upstream for pairs in columns_from(table).values() for upstream, _ in pairs}
        # the pair's and the prompt's pictures are named by their questions; the rows of `images` are there for the gate
        assert read - used <= {"images"}, table


def test_dagster_gets_the_declarations() -> None:
    dependencies = column_lineage("grounded_objects").deps_by_column
    assert dependencies["image_id"] == [dg.TableColumnDep(dg.AssetKey("images"), "image_id")]
    assert dependencies["label"] == [dg.TableColumnDep(dg.AssetKey("images"), "caption")]
    assert dependencies["box_source"] == []


def test_people_read_them_with_each_column() -> None:
    assert described("grounded_objects", "box_source") == "Made here."
    assert described("rl_prompts", "answer_text") == (
        "From seed_questions: choices, answer_index; composed_questions: choices, answer_index."
    )
    shown = {column.name: column for column in column_schema("grounded_objects").columns}
    assert shown["image_id"].description == "Picture the box lies in. From images: image_id."
    assert shown["object_id"].constraints.unique
    assert "| `image_id` | [images](/assets/images): `image_id` |" in readable_lineage("grounded_objects").value


@pytest.mark.parametrize("table", ASSETS)
def test_the_definition_carries_all_of_it(table: str) -> None:
    metadata = GRAPH.get(dg.AssetKey(table)).metadata
    assert set(column_metadata(table)) <= set(metadata)
    described_columns = metadata["dagster/column_schema"]
    described_columns = getattr(described_columns, "value", described_columns).columns
    for column in described_columns:
        model = SCHEMAS[table].to_schema().columns[column.name]
        assert model.description and column.description.startswith(model.description), column.name
