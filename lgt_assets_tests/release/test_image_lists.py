"""Pictures' contents are found at the places that rows name, whether or not these follow one another."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.release.image_lists import contents_at

CONTENTS = [b"", b"a", b"bc", b"def", b"", b"ghij"]
PLACES = st.lists(st.integers(0, len(CONTENTS) - 1), max_size=8)
RUNS = st.tuples(st.integers(0, 5), st.integers(0, 6)).map(lambda pair: list(range(len(CONTENTS)))[pair[0] : pair[1]])


@given(PLACES | RUNS)
def test_contents_are_those_at_the_places(places: list[int]) -> None:
    found = contents_at(pa.array(CONTENTS, pa.large_binary()), np.array(places, np.int64))
    assert found.to_pylist() == [CONTENTS[place] for place in places]


def test_places_that_follow_one_another_are_not_copied() -> None:
    contents = pa.array(CONTENTS, pa.large_binary())
    found = contents_at(contents, np.array([1, 2, 3]))
    assert found.buffers()[2].address == contents.buffers()[2].address
