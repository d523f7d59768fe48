"""Rows of two states are told apart by key and by column."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.differences.rows import difference

ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.text(max_size=3), st.none() | st.lists(st.integers(0, 3), max_size=2))
)


def frame(rows: dict) -> pl.LazyFrame:
    columns = {"key_id": pl.String, "ordinal": pl.Int64, "text": pl.String, "list": pl.List(pl.Int64)}
    return pl.LazyFrame(
        [(key, place, *values) for place, (key, values) in enumerate(rows.items())], columns, orient="row"
    )


@given(ROWS, ROWS)
def test_every_row_is_counted_once_and_where_it_belongs(old, new):
    found = difference(frame(old), frame(new), ["key_id"], ["text", "list"])
    assert set(found.removed) == old.keys() - new.keys() and set(found.added) == new.keys() - old.keys()
    both = old.keys() & new.keys()
    expected = {
        key: [name for place, name in enumerate(("text", "list")) if old[key][place] != new[key][place]] for key in both
    }
    assert dict(found.changed.iter_rows()) == {key: names for key, names in expected.items() if names}
    same = [key for key in both if not expected[key]]
    moved = [key for key in same if list(old).index(key) != list(new).index(key)]
    assert (found.moved, found.unchanged) == (len(moved), len(same) - len(moved))


def test_null_and_empty_differ():
    found = difference(frame({"a": ("", None)}), frame({"a": ("", [])}), ["key_id"], ["text", "list"])
    assert dict(found.changed.iter_rows()) == {"a": ["list"]}


def test_a_key_of_two_columns_is_one_key():
    rows = pl.LazyFrame({"row_id": ["1", "1"], "auditor": ["Ada", "Bob"], "note": ["", ""]})
    found = difference(rows, rows.with_columns(note=pl.lit("x")).head(1), ["row_id", "auditor"], ["note"])
    assert list(found.removed) == ["1 Bob"] and dict(found.changed.iter_rows()) == {"1 Ada": ["note"]}
