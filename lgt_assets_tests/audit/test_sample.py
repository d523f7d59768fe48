"""Samples are random, repeatable, and do not depend on shards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.audit.sample import draw_sample, sample_ids
from lgt_assets.errors import NotFoundError
from lgt_assets.storage import DeltaStore

IDS = [f"e.made-{shard:05d}.{number:016x}" for shard in range(10) for number in range(100)]


@given(st.permutations(IDS[:40]), st.integers(0, 40), st.integers(0, 5))
def test_a_sample_does_not_depend_on_order_and_a_larger_one_begins_with_it(ids, count, seed):
    drawn = draw_sample(ids, count, seed)
    assert drawn == draw_sample(IDS[:40], count, seed) == draw_sample(ids, 40, seed)[:count]
    assert len(set(drawn)) == count


def test_seeds_and_shards_are_spread():
    drawn = draw_sample(IDS, 200, 0)
    per_shard = [sum(name.startswith(f"e.made-{shard:05d}") for name in drawn) for shard in range(10)]
    assert min(per_shard) >= 8 and max(per_shard) <= 32
    assert drawn != draw_sample(IDS, 200, 1)


def test_a_table_that_cannot_be_audited_or_is_empty_is_named(store, tmp_path):
    assert sample_ids(store, "expanded_traces", 5, 0)[1] == 1
    with pytest.raises(NotFoundError, match="--table images: there are seed_questions"):
        sample_ids(store, "images", 5, 0)
    with pytest.raises(NotFoundError, match="lgt run --select expanded_traces"):
        sample_ids(DeltaStore(str(tmp_path / "empty")), "expanded_traces", 5, 0)
