"""The data dictionary refuses what would poison a table, and says what and where."""

import polars as pl
import pytest

from lgt_assets.errors import ValidationError
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.validation import REFERENCES, Reference, orphans, validate, validate_batches
from lgt_assets_tests.rows import image_row, object_row, question_row

IMAGE = image_row()
OBJECT = object_row(IMAGE)
QUESTION = question_row(IMAGE, [OBJECT])
FAULTS = [
    ("images", IMAGE, {"caption": ""}, "caption"),
    ("images", IMAGE, {"width": 0}, "width"),
    ("images", IMAGE, {"split": "test"}, "split"),
    ("images", IMAGE, {"sha256": "abc"}, "sha256"),
    ("grounded_objects", OBJECT, {"x1": 1.0}, "box_has_area"),
    ("grounded_objects", OBJECT, {"x0": float("nan")}, "x0"),
    ("grounded_objects", OBJECT, {"score": 1.2}, "score"),
    ("seed_questions", QUESTION, {"answer_index": 4}, "answer_is_a_choice"),
    ("seed_questions", QUESTION, {"choices": ["red", "red"]}, "choices_are_distinct"),
    ("seed_questions", QUESTION, {"hops": 2}, "hops"),
    ("seed_questions", QUESTION, {"question_id": "c.made-00000.0123456789abcdef"}, "question_id"),
]


@pytest.mark.parametrize(("table", "row", "change", "named"), FAULTS, ids=[f"{f[0]}-{f[3]}" for f in FAULTS])
def test_a_fault_is_named_and_its_clean_twin_kept(table: str, row: dict, change: dict, named: str) -> None:
    validate(table, frame(table, [row]))
    with pytest.raises(ValidationError, match=named) as caught:
        validate(table, frame(table, [row | change]))
    assert f"table {table}" in str(caught.value)


def test_a_key_may_not_stand_twice() -> None:
    with pytest.raises(ValidationError, match="image_id"):
        validate("images", frame("images", [IMAGE, IMAGE | {"ordinal": 1}]))


def test_every_column_is_described() -> None:
    for table, model in SCHEMAS.items():
        for name, column in model.to_schema().columns.items():
            assert column.description, f"{table}.{name}"


def test_references_point_at_columns_that_exist() -> None:
    for table, references in REFERENCES.items():
        for reference in references:
            assert reference.column in frame(table, []).columns
            assert all(reference.key in frame(target, []).columns for target in reference.tables)


def test_orphans_are_found_in_lists_and_plain_columns() -> None:
    rows = frame("seed_questions", [QUESTION, QUESTION | {"object_ids": []}]).lazy()
    objects = Reference("object_ids", ("grounded_objects",), "object_id", is_list=True)
    others = frame("grounded_objects", [OBJECT | {"object_id": "other"}]).lazy()
    own = frame("grounded_objects", [OBJECT]).lazy()
    assert orphans(rows, objects, [own]).to_list() == orphans(rows, objects, [others, own]).to_list() == []
    assert orphans(rows, objects, [others]).to_list() == [OBJECT["object_id"]]
    images = Reference("image_id", ("images",), "image_id")
    assert orphans(rows, images, [frame("images", []).lazy()]).to_list() == [IMAGE["image_id"]]


def test_batches_are_checked_each_and_together() -> None:
    rows = [image_row(number) for number in range(6)]
    whole = [frame("images", rows[start : start + 2]) for start in (0, 2, 4)]
    validate_batches("images", lambda: whole)
    validate_batches("images", list)
    with pytest.raises(ValidationError, match="image_id breaks 'field_uniqueness'.*" + rows[1]["image_id"]):
        validate_batches("images", lambda: [*whole, whole[0].tail(1)])
    with pytest.raises(ValidationError, match="caption"):
        validate_batches("images", lambda: [whole[0], whole[1].with_columns(caption=pl.lit(""))])
