"""Type quotas."""

import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.synthesis.quotas import over_quota

TYPES = st.lists(st.sampled_from(["Counting", "Spatial", "Recognition"]), max_size=20)


def test_the_last_of_the_commonest_type_go():
    assert over_quota(["A", "A", "B", "A", "A", "B"], 0.5) == {4}
    assert over_quota(["A", "B", "A", "B"], 0.5) == set()
    assert over_quota(["counting", "Counting ", "**COUNTING**"], 0.5) == {1, 2}


@settings(deadline=None)
@given(TYPES, st.floats(0.05, 1))
def test_no_type_keeps_more_than_its_share_and_each_keeps_its_first(types, share):
    dropped = over_quota(types, share)
    kept = [name for position, name in enumerate(types) if position not in dropped]
    assert all(count <= math.ceil(round(share * len(kept), 9)) for count in Counter(kept).values())
    assert bool(kept) == bool(types)
    for name in set(kept):
        positions = [position for position, other in enumerate(types) if other == name]
        cut = [position in dropped for position in positions]
        assert cut == sorted(cut)


@settings(deadline=None)
@given(TYPES)
def test_a_share_of_one_drops_nothing(types):
    assert over_quota(types, 1.0) == set()
