"""What a headless run is asked for: assets, shards, and how they are cut into runs."""

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import LgtError, NotFoundError
from lgt_assets.partitions import register_shards
from lgt_assets.runs import RunSummary, chosen_assets, chosen_shards, contiguous_ranges, require_success

KNOWN = [f"made-{number:05d}" for number in range(30)]


def test_all_assets_by_default_in_data_order() -> None:
    assets = chosen_assets(None)
    assert len(assets) == 10 and assets[0] == "images" and assets[-1] == "release"
    assert assets.index("seed_questions") < assets.index("composed_questions") < assets.index("distilled_cots")


def test_names_joined_by_commas() -> None:
    assert chosen_assets("grounded_objects, images") == ["images", "grounded_objects"]


def test_the_selection_syntax_of_dagster() -> None:
    assert chosen_assets("group:sources") == ["images", "grounded_objects"]
    assert chosen_assets('key:"seed_questions"+ and not key:"seed_questions"')[0] == "composed_questions"


@pytest.mark.parametrize("selection", ["nothing", "images,nothing", "images and", "group:nothing", "-"])
def test_a_selection_that_names_nothing_lists_what_there_is(selection: str) -> None:
    with pytest.raises(NotFoundError, match="composed_questions"):
        chosen_assets(selection)


def test_shards_by_pattern() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        register_shards(instance, ["made-00001", "made-00000", "other-00000"])
        assert chosen_shards(instance, "made-*") == ["made-00001", "made-00000"]
        with pytest.raises(NotFoundError, match="registered are made-00001"):
            chosen_shards(instance, "nothing-*")


@given(st.sets(st.sampled_from(KNOWN), min_size=1), st.integers(1, 9))
def test_runs_hold_each_chosen_shard_once_and_no_other(chosen: set[str], size: int) -> None:
    runs = list(contiguous_ranges(sorted(chosen), KNOWN, size))
    assert [shard for run in runs for shard in run] == sorted(chosen)
    for run in runs:
        first, last = KNOWN.index(run[0]), KNOWN.index(run[-1])
        assert len(run) <= size and run == KNOWN[first : last + 1]


def test_failures_are_raised_together() -> None:
    require_success(RunSummary())
    with pytest.raises(LgtError, match="one\ntwo"):
        require_success(RunSummary(failures=["one", "two"]))
