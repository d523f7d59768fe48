"""The assets of the group post_training on a real instance, from a release's tables to scores."""

from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.assets.post_training import evaluation, sft_model
from lgt_assets.assets.release_making import kept_release
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.trainers.made_examples import MADE, SHARDS, write_examples

CONFIG = {"ops": {"sft_model": {"config": {"steps": 2, "batch": 2}}, "evaluation": {"config": {"questions": 5}}}}


@pytest.mark.slow
def test_a_cell_is_trained_on_the_latest_release_and_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    store = DeltaStore(str(tmp_path / "tables"))
    write_examples(store, tmp_path / "pictures")
    kept = kept_release(store, MADE, SHARDS, root=tmp_path / "releases", code_version="made")
    cell = dg.MultiPartitionKey({"recipe": "merged", "seed": "1"})
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        done = dg.materialize([sft_model, evaluation], instance=instance, partition_key=cell, run_config=CONFIG)
    assert done.success
    trained, scored = (done.asset_materializations_for_node(name)[0].metadata for name in ("sft_model", "evaluation"))
    assert trained["release"].value == kept.row["release_id"] and trained["tokens"].value > 0
    assert (Path(trained["path"].value) / "model.safetensors").exists()
    totals = {row["suite"]: row["n"] for row in scored["rows"].value if row["type"] == "all"}
    assert totals == {"held_out": 5, "more_objects": 5, "open_form": 5}
