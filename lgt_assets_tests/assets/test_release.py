"""A release holds the shards that are whole, names those on their way, and refuses bad ones."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from lgt_assets.assets.release import release
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.release.configs import CONFIGS, RELEASE_TABLES
from lgt_assets.resources import Models, Tables
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.rows import SHARD, image_row

LATE = "late-00000"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeltaStore:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    return write_made_tables(tmp_path / "state")


@pytest.fixture
def instance(tmp_path: Path, store: DeltaStore) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        for table in RELEASE_TABLES:
            report(instance, store, table, SHARD)
        yield instance


def report(instance: dg.DagsterInstance, store: DeltaStore, table: str, shard: str) -> None:
    """Say that a shard was materialized as it stands."""
    metadata = {ROW_COUNT: store.read(table, shards=[shard]).height}
    instance.report_runless_asset_event(dg.AssetMaterialization(table, partition=shard, metadata=metadata))


def materialize(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    resources = {"tables": Tables(), "models": Models()}
    return dg.materialize([release], instance=instance, resources=resources, raise_on_error=False)


def test_every_config_is_written_and_its_rows_are_counted(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    row = store.read("release").row(0, named=True)
    counts = {(file["config"], file["split"]): file["rows"] for file in row["files"]}
    assert counts == {(name, split): int(split == "train" and not name.endswith("1")) for name, split in counts}
    assert {name for name, _ in counts} == set(CONFIGS)
    assert pl.read_parquet(Path(row["uri"]) / "pictures.parquet").height == 1
    assert "config_name: dpo_stage2" in (Path(row["uri"]) / "README.md").read_text()


def test_the_same_rows_are_one_release(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    assert materialize(instance).success
    assert store.read("release").height == 1


def test_a_shard_on_its_way_is_left_out_and_named(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    before = store.read("release")["release_id"].to_list()
    store.replace("images", frame("images", [image_row(7, shard=LATE)]), shard=LATE)
    report(instance, store, "images", LATE)
    result = materialize(instance)
    assert result.success
    metadata = result.asset_materializations_for_node("release")[0].metadata
    assert metadata["shards_left_out"].value == [LATE]
    assert store.read("release")["release_id"].to_list() == before


def test_a_bad_shard_fails_the_release_by_name(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    rows = [row | {"recipe": "short"} for row in store.read("sft_mix").to_dicts()]
    store.replace("sft_mix", frame("sft_mix", rows), shard=SHARD)
    result = materialize(instance)
    assert not result.success
    description = result.all_events[-1].message + str(
        [e.step_failure_data for e in result.all_events if e.is_step_failure]
    )
    assert "recipe breaks" in description
    assert f"lgt run --select sft_mix --shards {SHARD}" in description
    assert store.read("release").height == 0


def test_nothing_ready_says_what_to_do(tmp_path: Path, store: DeltaStore) -> None:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = materialize(instance)
    assert not result.success
    assert "run `lgt run` first" in str([e.step_failure_data for e in result.all_events if e.is_step_failure])
