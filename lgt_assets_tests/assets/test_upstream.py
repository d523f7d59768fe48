"""The gate holds across runs: what was not made, failed its checks, lost rows or went bad since is refused by name."""

import uuid
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.events import DagsterEventType

from lgt_assets.assets.run_scope import NOT_MADE, not_made
from lgt_assets.assets.upstream import ROW_COUNT, read_upstream
from lgt_assets.checks.declarations import checks_of
from lgt_assets.checks.evaluation import latest_materialization, shard_evaluation
from lgt_assets.errors import UpstreamError
from lgt_assets.quality.findings import Finding
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import SHARD, image_row


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    store = DeltaStore(str(tmp_path / "tables"))
    store.replace("images", frame("images", [image_row(n) for n in range(3)]), shard=SHARD)
    return store


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        materialized = dg.AssetMaterialization("images", partition=SHARD, metadata={ROW_COUNT: 3})
        instance.report_runless_asset_event(materialized)
        yield instance


def evaluate(instance: dg.DagsterInstance, problem: str) -> None:
    """Record a check's result as a run of its own would."""
    made = latest_materialization(instance, "images", SHARD)
    evaluation = shard_evaluation(checks_of("images")[0], "images", SHARD, Finding(not problem, problem), made)
    event = dg.DagsterEvent(DagsterEventType.ASSET_CHECK_EVALUATION.value, "", event_specific_data=evaluation)
    instance.report_dagster_event(event, run_id=str(uuid.uuid4()))


def test_a_whole_shard_is_read(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert read_upstream(instance, store, "images", SHARD).height == 3


def test_a_shard_never_made_is_named(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    with pytest.raises(
        UpstreamError,
        match="images has no shard other-00000: materialize it first .lgt run --select images --shards other-00000",
    ):
        read_upstream(instance, store, "images", "other-00000")


def test_a_failed_check_closes_the_gate_until_it_passes(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    evaluate(instance, "caption is empty")
    with pytest.raises(UpstreamError, match=r"failed its blocking checks \(schema\)"):
        read_upstream(instance, store, "images", SHARD)
    evaluate(instance, "")
    assert read_upstream(instance, store, "images", SHARD).height == 3


def test_a_failure_of_rows_made_anew_since_closes_nothing(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    evaluate(instance, "caption is empty")
    instance.report_runless_asset_event(dg.AssetMaterialization("images", partition=SHARD, metadata={ROW_COUNT: 3}))
    assert read_upstream(instance, store, "images", SHARD).height == 3
    evaluate(instance, "caption is empty, again")
    with pytest.raises(UpstreamError, match="schema: caption is empty, again"):
        read_upstream(instance, store, "images", SHARD)


def test_rows_that_a_message_quotes_are_text_in_dagit(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    picture = "![x](http://evil.example/)"
    evaluate(instance, picture)
    with pytest.raises(UpstreamError) as refused:
        read_upstream(instance, store, "images", SHARD)
    assert picture in str(refused.value)
    observation = not_made("grounded_objects", SHARD, str(refused.value))
    assert "![" not in observation.description and "://" not in observation.description
    assert observation.metadata[NOT_MADE].value == str(refused.value)


def test_lost_rows_close_the_gate(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    store.replace("images", frame("images", [image_row(0)]), shard=SHARD)
    with pytest.raises(UpstreamError, match="has 1 rows where its materialization wrote 3"):
        read_upstream(instance, store, "images", SHARD)


class Raced(DeltaStore):
    """Somebody else writes the slice right after it was read."""

    def read(self, table: str, **where: object) -> pl.DataFrame:
        rows = super().read(table, **where)
        other = [image_row(number, caption="Written meanwhile.") for number in range(3)]
        DeltaStore(self.root).replace(table, frame(table, other), shard=SHARD)
        return rows


def test_rows_that_are_written_while_they_are_read_close_the_gate(
    instance: dg.DagsterInstance, store: DeltaStore
) -> None:
    with pytest.raises(UpstreamError, match="was written by another run while it was read"):
        read_upstream(instance, Raced(store.root), "images", SHARD)
    assert read_upstream(instance, store, "images", SHARD)["caption"].unique().to_list() == ["Written meanwhile."]


def test_rows_poisoned_after_their_check_close_the_gate(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    evaluate(instance, "")
    store.replace(
        "images", frame("images", [image_row(n, caption="" if n == 1 else "x") for n in range(3)]), shard=SHARD
    )
    with pytest.raises(UpstreamError, match="caption breaks"):
        read_upstream(instance, store, "images", SHARD)
