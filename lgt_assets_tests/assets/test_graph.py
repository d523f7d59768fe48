"""Assets and checks in real runs over ranges of shards: what is refused, what is made all the same, what is recorded."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import get_input_event_pointer_tag
from dagster._core.event_api import PartitionKeyFilter

from lgt_assets import runs
from lgt_assets.assets import shard_asset
from lgt_assets.assets.making import make_shard
from lgt_assets.assets.shard import Shard
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.checks.evaluation import latest_materialization
from lgt_assets.partitions import registered_shards
from lgt_assets.quality.findings import Slice
from lgt_assets.quality.rules import parents
from lgt_assets.resources import Tables
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import BLOCKING_CHECKS
from lgt_assets_tests.registered import SHARDS, SOURCES, poison, registered_instance


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    yield from registered_instance(tmp_path, monkeypatch)


@pytest.fixture
def store(instance: dg.DagsterInstance) -> DeltaStore:
    return Tables().store()


def check_status(instance: dg.DagsterInstance, table: str, name: str, shard: str) -> str:
    key = dg.AssetCheckKey(dg.AssetKey(table), name)
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key], PartitionKeyFilter(key=shard))
    return latest[key].status.value


def test_adding_registers_shards_and_members(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert registered_shards(instance) == SHARDS
    assert store.read("shard_members").group_by("shard").len().sort("shard").rows() == [(shard, 2) for shard in SHARDS]


def test_a_range_run_records_rows_versions_and_checks_per_shard(
    instance: dg.DagsterInstance, store: DeltaStore
) -> None:
    assert runs.run(instance, selection=SOURCES).failures == []
    assert store.shards("images") == SHARDS
    for shard in SHARDS:
        filter_ = dg.AssetRecordsFilter(dg.AssetKey("images"), asset_partitions=[shard])
        materialization = instance.fetch_materializations(filter_, limit=1).records[0].asset_materialization
        assert materialization.metadata[ROW_COUNT].value == 2
        assert materialization.metadata["delta/version"].value >= 1
        for name in BLOCKING_CHECKS:
            assert check_status(instance, "grounded_objects", name, shard) == "SUCCEEDED"


def test_what_is_written_while_an_asset_is_made_is_newer_than_what_it_notes(
    instance: dg.DagsterInstance, store: DeltaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs.run(instance, selection="images", shards=SHARDS[0]).failures == []
    read = latest_materialization(instance, "images", SHARDS[0])

    def make_slowly(shard: Shard, *arguments: object) -> dict:
        metadata = {ROW_COUNT: 2}
        instance.report_runless_asset_event(dg.AssetMaterialization("images", partition=shard.key, metadata=metadata))
        return make_shard(shard, *arguments)

    monkeypatch.setattr(shard_asset, "make_shard", make_slowly)
    assert runs.run(instance, selection="grounded_objects", shards=SHARDS[0]).failures == []
    made = latest_materialization(instance, "grounded_objects", SHARDS[0]).asset_materialization
    assert made.tags[get_input_event_pointer_tag(dg.AssetKey("images"))] == str(read.storage_id)


def test_below_a_poisoned_shard_nothing_is_made_and_everything_else_is(
    instance: dg.DagsterInstance, store: DeltaStore
) -> None:
    assert runs.run(instance, selection="images").failures == []
    poison(store, SHARDS[1])
    failures = runs.run(instance, selection="grounded_objects").failures
    assert len(failures) == 1
    assert "caption breaks" in failures[0]
    assert "lgt run --select images --shards mine-00001" in failures[0]
    assert store.shards("grounded_objects") == [SHARDS[0], SHARDS[2]]
    assert instance.get_materialized_partitions(dg.AssetKey("grounded_objects")) == {SHARDS[0], SHARDS[2]}
    assert runs.run(instance, selection=SOURCES, shards=SHARDS[1]).failures == []
    assert store.shards("grounded_objects") == SHARDS


def test_a_check_run_alone_finds_the_poison_and_closes_the_gate(
    instance: dg.DagsterInstance, store: DeltaStore
) -> None:
    from lgt_assets.definitions import defs

    assert runs.run(instance, selection=SOURCES).failures == []
    poison(store, SHARDS[1])
    checks = dg.AssetSelection.checks(*[dg.AssetCheckKey(dg.AssetKey("images"), name) for name in BLOCKING_CHECKS])
    job = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=defs.resources, executor=defs.executor,
        jobs=[dg.define_asset_job("only_checks", selection=checks)],
    ).resolve_job_def("only_checks")  # fmt: skip
    job.execute_in_process(instance=instance, raise_on_error=False)
    statuses = [check_status(instance, "images", "schema", shard) for shard in SHARDS]
    assert statuses == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    failures = runs.run(instance, selection="grounded_objects", shards=SHARDS[1]).failures
    assert "failed its blocking checks (schema)" in failures[0]


def test_an_orphan_is_found(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert runs.run(instance, selection=SOURCES).failures == []
    assert parents(Slice(store, "grounded_objects", SHARDS[0])).passed
    store.replace("images", store.read("images", shards=[SHARDS[0]]).head(1), shard=SHARDS[0])
    assert "1 not in images" in parents(Slice(store, "grounded_objects", SHARDS[0])).said


def test_making_one_shard_again_leaves_the_others_rows(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert runs.run(instance, selection=SOURCES).failures == []
    before, version = store.read("images").rows(), store.version("images")
    assert runs.run(instance, selection="images", shards=SHARDS[2]).failures == []
    assert (store.read("images").rows(), store.version("images")) == (before, version)


def test_a_vanished_picture_is_rejected_by_name(
    instance: dg.DagsterInstance, store: DeltaStore, tmp_path: Path
) -> None:
    (tmp_path / "mine" / "0.png").unlink()
    assert runs.run(instance, selection=SOURCES).failures == []
    assert store.read("images").height == store.read("grounded_objects").height == 5
    rejection = store.read("rejections").row(0, named=True)
    assert (rejection["asset"], rejection["reason"]) == ("images", "missing_file")
    assert "0.png" in rejection["detail"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["a", "b", "c", "d"], [["a", "b"], ["c", "d"]]),
        (["a", "c"], [["a"], ["c"]]),
        (["b", "c", "d"], [["b", "c"], ["d"]]),
        ([], []),
    ],
)
def test_runs_cover_neighbours_only(chosen: list[str], expected: list[list[str]]) -> None:
    assert list(runs.contiguous_ranges(chosen, ["a", "b", "c", "d"], size=2)) == expected
