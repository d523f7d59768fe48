"""Which rows are shown, on which pictures, with which boxes."""

from collections import Counter
from collections.abc import Collection, Iterable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.observe.shown_rows import PREVIEW_ROWS, choose_rows, shown_pictures
from lgt_assets.schemas import frame
from lgt_assets.validation import REFERENCES
from lgt_assets_tests.made_tables import made_rows
from lgt_assets_tests.rows import image_row, object_row, question_row


def find_in(tables: dict[str, list[dict]]):
    def find(table: str, key: str, values: Collection[str]) -> Iterable[dict]:
        return [row for row in tables.get(table, []) if row[key] in values]

    return find


def of_pictures(*image_ids: str) -> pl.DataFrame:
    return pl.DataFrame({"image_id": list(image_ids), "n": range(len(image_ids))})


def test_rows_are_of_few_pictures_spread_over_all() -> None:
    chosen = choose_rows(of_pictures(*(f"i{n // 10}" for n in range(100))))
    assert Counter(chosen["image_id"]) == {"i0": 3, "i5": 3}
    assert chosen["n"].to_list() == [0, 3, 6, 50, 53, 56]


def test_where_each_picture_has_one_row_each_row_has_its_picture() -> None:
    assert choose_rows(of_pictures(*(f"i{n}" for n in range(12))))["n"].to_list() == [0, 2, 4, 6, 8, 10]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_as_many_rows_as_there_are_up_to_six_each_once_in_order(pictures: list[int]) -> None:
    rows = of_pictures(*(f"i{n}" for n in pictures)) if pictures else of_pictures("x").clear()
    chosen = choose_rows(rows)["n"].to_list()
    assert len(chosen) == min(len(pictures), PREVIEW_ROWS)
    assert chosen == sorted(set(chosen))


@pytest.mark.parametrize("table", [name for name in REFERENCES if name != "images"])
def test_every_table_finds_its_boxes(table: str) -> None:
    tables = made_rows()
    (picture,) = shown_pictures(table, frame(table, tables[table]), find_in(tables))
    assert picture.image == tables["images"][0]
    assert picture.objects == tables["grounded_objects"]
    assert [shown.boxes for shown in picture.rows] == [(1,)] * len(tables[table])
    own = table in ("grounded_objects", "seed_questions", "composed_questions")
    assert {shown.question for shown in picture.rows} == ({None} if own else {"Both?"})


def test_a_picture_is_its_own_and_has_no_boxes_yet() -> None:
    tables = made_rows()
    (picture,) = shown_pictures("images", frame("images", tables["images"]), find_in({}))
    assert (picture.image, picture.objects) == (tables["images"][0], [])


def test_boxes_are_numbered_once_for_all_rows_of_a_picture() -> None:
    images = [image_row(n) for n in range(2)]
    objects = [object_row(images[0], n) for n in range(3)] + [object_row(images[1], 9)]
    questions = [
        question_row(images[0], [objects[1]], 0), question_row(images[0], [objects[2], objects[1]], 1),
        question_row(images[1], [objects[3]], 2), question_row(images[1], [], 3),
    ]  # fmt: skip
    tables = {"images": images, "grounded_objects": objects}
    first, second = shown_pictures("seed_questions", frame("seed_questions", questions), find_in(tables))
    assert first.objects == [objects[1], objects[2]]
    assert [shown.boxes for shown in first.rows] == [(1,), (2, 1)]
    assert second.objects == [objects[3]]
    assert [shown.boxes for shown in second.rows] == [(1,), ()]


def test_what_is_not_there_is_left_out() -> None:
    tables = made_rows()
    (picture,) = shown_pictures("distilled_cots", frame("distilled_cots", tables["distilled_cots"]), find_in({}))
    assert (picture.image, picture.objects) == (None, [])
    assert [(shown.boxes, shown.question) for shown in picture.rows] == [((), None)] * 2
