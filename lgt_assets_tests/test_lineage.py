"""Ancestors and descendants of a row."""

from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.identity import LETTER_BY_TABLE
from lgt_assets.lineage import FURTHER_REFERENCES, KEYS, LABELS, Family, Member, read_family, read_generation, read_row
from lgt_assets.schemas import polars_schema
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import REFERENCES
from lgt_assets_tests.made_tables import made_id, made_rows, write_made_tables
from lgt_assets_tests.rows import SHARD


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return write_made_tables(tmp_path)


def test_every_row_reaches_its_image(store: DeltaStore) -> None:
    family = read_family(store, SHARD)
    image = made_rows()["images"][0]["image_id"]
    below = [row_id for row_id, member in family.members.items() if member.table not in ("images", "rejections")]
    assert len(below) == 10
    assert all(image in family.ancestors(row_id) for row_id in below)


def test_parents_are_the_nearest_rows(store: DeltaStore) -> None:
    family, rows = read_family(store, SHARD), made_rows()
    box, seeds = rows["grounded_objects"][0]["object_id"], [row["question_id"] for row in rows["seed_questions"]]
    composed = made_id("composed_questions")
    assert family.parents(seeds[0]) == [box]
    assert family.parents(composed) == seeds
    assert family.parents(made_id("expanded_traces")) == [made_id("distilled_cots", 0)]
    assert family.parents(made_id("sft_mix")) == [made_id("expanded_traces")]
    assert family.parents(made_id("preference_pairs")) == [made_id("distilled_cots", 0), made_id("distilled_cots", 1)]


def test_children_are_the_parents_seen_from_above(store: DeltaStore) -> None:
    family, rows = read_family(store, SHARD), made_rows()
    question = rows["seed_questions"][0]["question_id"]
    tables = [family.members[row_id].table for row_id in family.children[question]]
    assert tables == ["composed_questions", "rejections", "rejections", "rejections"]
    assert set(family.children[made_id("distilled_cots", 0)]) == {
        made_id("expanded_traces"),
        made_id("preference_pairs"),
    }


def test_a_circle_of_references_ends() -> None:
    members = {name: Member(name, "images", {}) for name in "ab"}
    family = Family(members, {"a": ("b",), "b": ("a",)})
    assert family.ancestors("a") == {"a", "b"}


def test_a_row_is_read_whole(store: DeltaStore) -> None:
    row = read_row(store, made_id("expanded_traces"))
    assert row["transition"] == "OO" and row["behaviours"]["backtracking"] == 1


def test_what_is_missing_is_said(store: DeltaStore) -> None:
    with pytest.raises(NotFoundError, match=r"seed_questions has no row q\.made-00000\.0000000000000000$"):
        read_row(store, "q.made-00000.0000000000000000")
    with pytest.raises(NotFoundError, match="shards with rows there: made-00000"):
        read_row(store, "q.other-00000.0000000000000000")


def test_the_completion_is_found_by_its_key(store: DeltaStore) -> None:
    key = made_rows()["seed_questions"][0]["request_key"]
    assert read_generation(store, SHARD, key)["model"] == "made"
    assert read_generation(store, SHARD, "0" * 64) is None


def test_declarations_name_columns_that_exist() -> None:
    assert set(KEYS) == set(LABELS) == set(LETTER_BY_TABLE)
    for table, key in KEYS.items():
        references = (*REFERENCES.get(table, ()), *FURTHER_REFERENCES.get(table, ()))
        assert {key, *LABELS[table], *(reference.column for reference in references)} <= set(polars_schema(table))
