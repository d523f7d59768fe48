"""Registering a source: members in several commits, partitions, and the card."""

from pathlib import Path

import dagster as dg
import pytest

from lgt_assets import table_handles
from lgt_assets.assets import registration
from lgt_assets.partitions import registered_shards
from lgt_assets.resources import Tables
from lgt_assets.sources import add_source, member_rows
from lgt_assets.sources.shard_files import shard_names
from lgt_assets.storage import DeltaStore
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


def test_machines_that_note_the_same_members_at_once_note_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = str(tmp_path / "tables")
    options = {"path": str(flat_manifest(tmp_path, range(5)))}
    for machine in ("a", "b"):
        add_source(tmp_path / machine, "mine", "manifest", options, shard_size=2)
    shards = shard_names(tmp_path / "a", "mine")
    others = [lambda: note(DeltaStore(tables), "b")]

    def note(store: DeltaStore, machine: str) -> None:
        monkeypatch.setenv("LGT_STATE", str(tmp_path / machine))
        registration.note_members(store, shards)

    def the_other_first() -> None:  # once this one has looked, and opened the table to commit
        if others:
            table_handles.forget(store.uri("shard_members"))  # as on another machine: this one's handle stays behind
            others.pop()()

    store = DeltaStore(tables, may_write=the_other_first)
    note(store, "a")
    expected = [row for shard in shards for row in member_rows(tmp_path / "b", shard)]
    assert not others and sorted(store.read("shard_members").to_dicts(), key=str) == sorted(expected, key=str)


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
