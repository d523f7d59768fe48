"""Ids, seeds and splits are the same everywhere and for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets import identity
from lgt_assets.errors import NotFoundError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(parts=st.lists(JSON, max_size=4), table=st.sampled_from(sorted(identity.LETTER_BY_TABLE)))
def test_an_id_says_where_its_row_lies(parts: list, table: str) -> None:
    made = identity.row_id(table, "my-source-00012", *parts)
    assert identity.parse_row_id(made) == identity.RowId(table, "my-source-00012", made[-16:])
    assert made == identity.row_id(table, "my-source-00012", *parts)


def test_known_values_never_change() -> None:
    assert identity.row_id("seed_questions", "scenes-00000", "a", 1) == "q.scenes-00000.135f17a475a61afd"
    assert identity.seed_of("q.scenes-00000.135f17a475a61afd", "vlm", 0) == 1354464730


@given(left=st.lists(JSON, max_size=3), right=st.lists(JSON, max_size=3))
def test_parts_are_told_apart(left: list, right: list) -> None:
    same = identity.digest(*left) == identity.digest(*right)
    assert same == (repr(left) == repr(right))


@pytest.mark.parametrize(
    "text", ["", "q.scenes.0123456789abcdef", "q.scenes-00000.xyz", "z.scenes-00000.0123456789abcdef", "../../etc"]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(NotFoundError, match="not a row id"):
        identity.parse_row_id(text)


def test_validation_takes_about_its_share() -> None:
    splits = [identity.split_of(identity.digest(i)) for i in range(4000)]
    assert 0.04 < splits.count("validation") / len(splits) < 0.06
