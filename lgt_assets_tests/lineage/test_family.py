"""Ancestors and descendants of a row."""

import pytest

from lgt_assets.lineage.declarations import FURTHER_REFERENCES, KEYS, LABELS, references_of
from lgt_assets.lineage.family import Family, Member
from lgt_assets.lineage.reading import ShardTables, read_family, read_row
from lgt_assets.references import REFERENCES
from lgt_assets.schemas import polars_schema
from lgt_assets_tests.made_tables import made_id, made_rows
from lgt_assets_tests.rows import SHARD


@pytest.fixture
def family(folder) -> Family:
    tables = ShardTables(folder, SHARD)
    row_id = made_id("expanded_traces")
    return read_family(tables, row_id, read_row(tables, row_id))


def test_every_row_reaches_its_image(family):
    image = [row_id for row_id, member in family.members.items() if member.table == "images"]
    below = [row_id for row_id, member in family.members.items() if member.table not in ("images", "rejections")]
    assert len(below) == 10 and len(image) == 1
    assert all(image[0] in family.ancestors(row_id) for row_id in below)


def test_parents_are_the_nearest_rows(family):
    rows = made_rows()
    box, seeds = rows["grounded_objects"][0]["object_id"], [row["question_id"] for row in rows["seed_questions"]]
    assert family.parents(seeds[0]) == [box]
    assert family.parents(made_id("composed_questions")) == seeds
    assert family.parents(made_id("expanded_traces")) == [made_id("distilled_cots", 0)]
    assert family.parents(made_id("sft_mix")) == [made_id("expanded_traces")]
    assert family.parents(made_id("preference_pairs")) == [made_id("distilled_cots", 0), made_id("distilled_cots", 1)]


def test_children_are_the_parents_seen_from_above(family):
    question = made_rows()["seed_questions"][0]["question_id"]
    tables = [family.members[row_id].table for row_id in family.children[question]]
    assert tables == ["composed_questions", "rejections", "rejections", "rejections"]
    assert set(family.children[made_id("distilled_cots", 0)]) == {
        made_id("expanded_traces"),
        made_id("preference_pairs"),
    }


def test_around_a_row_is_all_that_leads_to_it_and_to_what_came_of_it(family):
    around = family.around(made_id("distilled_cots", 1))
    assert {made_id("preference_pairs"), made_id("distilled_cots", 0), made_id("composed_questions")} <= around
    assert made_id("sft_mix") not in around and made_id("expanded_traces") not in around


def test_a_circle_of_references_ends():
    members = {name: Member(name, "images", {}) for name in "ab"}
    family = Family(members, {"a": ("b",), "b": ("a",)})
    assert family.ancestors("a") == {"a", "b"} == family.around("a")


def test_declarations_name_columns_that_exist():
    assert set(KEYS) == set(LABELS) == set(REFERENCES) | {"rejections"}
    assert set(FURTHER_REFERENCES) <= set(KEYS)
    for table, key in KEYS.items():
        assert {key, *LABELS[table], *(one.column for one in references_of(table))} <= set(polars_schema(table))
