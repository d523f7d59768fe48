"""Registering a source: members in several commits, partitions, and the card."""

from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.assets import registration
from lgt_assets.partitions import registered_shards
from lgt_assets.resources import Tables
from lgt_assets.sources import member_rows
from lgt_assets_tests.sources.pictures import flat_manifest


def test_members_are_noted_some_shards_at_a_time_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(registration, "SHARDS_NOTED_AT_ONCE", 2)
    store, cards = Tables().store(), []

    def register(instance: dg.DagsterInstance, count: int) -> registration.Addition:
        options = {"path": str(flat_manifest(tmp_path, range(count)))}
        return registration.register(instance, store, "mine", "manifest", options, shard_size=2, observe=cards.append)

    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        assert len(register(instance, 9).new_shards) == 5
        version = store.version("shard_members")
        register(instance, 9)
        assert (store.version("shard_members"), len(cards)) == (version, 1)  # nothing new, nothing said
        assert len(register(instance, 11).new_shards) == 1
        shards = registered_shards(instance)
    assert shards == [f"mine-{number:05d}" for number in range(6)]
    expected = [row for shard in shards for row in member_rows(tmp_path / "state", shard)]
    found = store.scan("shard_members").collect().to_dicts()
    assert sorted(found, key=str) == sorted(expected, key=str) and len(found) == 11
    assert [card.metadata["mine/pictures"].value for card in cards] == [9, 11]


def test_the_job_shows_the_card_of_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    config = {"name": "mine", "kind": "manifest", "options": {"path": str(flat_manifest(tmp_path, range(3)))}}
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = registration.register_source.execute_in_process(
            run_config={"ops": {"add_source_to_shards": {"config": config}}},
            resources={"tables": Tables()},
            instance=instance,
        )
        assert result.success
        (record,) = instance.fetch_observations(dg.AssetKey("images"), limit=5).records
    assert record.run_id == result.run_id and "CC0-1.0" in record.asset_observation.metadata["source card"].value
