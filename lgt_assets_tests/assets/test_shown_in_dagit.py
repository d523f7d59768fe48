"""What a real run leaves in Dagster's event log for each shard: numbers, plots and pictures."""

from pathlib import Path

import dagster as dg
import pytest

from lgt_assets import runs
from lgt_assets.assets.registration import register
from lgt_assets.resources import Tables
from lgt_assets_tests.observe.test_preview import pictures_in
from lgt_assets_tests.registered import write_manifest

SHARDS = ["mine-00000", "mine-00001"]


def metadata_of(instance: dg.DagsterInstance, table: str, shard: str) -> dict[str, dg.MetadataValue]:
    filter_ = dg.AssetRecordsFilter(dg.AssetKey(table), asset_partitions=[shard])
    return dict(instance.fetch_materializations(filter_, limit=1).records[0].asset_materialization.metadata)


def test_each_shard_of_a_run_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        path = write_manifest(tmp_path / "mine", 4, "A [red](javascript:x) sheet", "no json")
        register(instance, Tables().store(), "mine", "manifest", {"path": str(path)}, shard_size=2)
        assert runs.run(instance, selection="images,grounded_objects").failures == []
        images = [metadata_of(instance, "images", shard) for shard in SHARDS]
        objects = [metadata_of(instance, "grounded_objects", shard) for shard in SHARDS]
        observations = instance.fetch_observations(dg.AssetKey("images"), limit=9).records
    assert [len(pictures_in(found["preview"].value)) for found in (*images, *objects)] == [2, 2, 2, 2]
    assert "number 0" in images[0]["preview"].value and "number 2" in images[1]["preview"].value
    assert "](javascript" not in images[0]["preview"].value
    assert objects[1]["preview"].value.count("boxes: 1 sheet") == 2
    assert sum(found["rejected"].value for found in images) == 1
    assert all(found["plots"].value.startswith("![plots](data:image/png;base64,") for found in (*images, *objects))
    assert objects[0]["mean_box_width_pixels"].value == 40.0
    (card,) = (record.asset_observation for record in observations)  # short shards say nothing of their progress
    assert card.partition is None and card.metadata["mine/pictures"].value == 4
    assert "CC0" in card.metadata["source card"].value
