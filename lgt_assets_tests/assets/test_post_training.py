"""The assets of the group post_training on a real instance, from a release's tables to models."""

from pathlib import Path

import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.instance import open_instance
from lgt_assets.runs import train
from lgt_assets_tests.trainers.made_examples import made_release


@pytest.mark.slow
def test_a_cell_is_trained_on_the_latest_release_by_each_trainer_after_sft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl")
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    _store, release_id = made_release(tmp_path)
    with open_instance() as instance:
        early = train(instance, selection="dpo_model", recipe="merged", seed="1", steps=1)
        assert not early.told and "materialize sft_model for it first" in early.failures[0]
        done = train(instance, selection="dpo_model, sft_model", recipe="merged", seed="1", steps=1)
        assert list(done.told) == ["sft_model", "dpo_model"] and not done.failures
        with pytest.raises(NotFoundError, match=r"no recipe 'mixed' with seed '1'; .*merged\|2"):
            train(instance, selection="sft_model", recipe="mixed", seed="1")
        with pytest.raises(NotFoundError, match="post-training has no asset images; it has sft_model"):
            train(instance, selection="images", recipe="merged", seed="1")
    for name, objective in (("sft_model", "loss of a validation token"), ("dpo_model", "loss of a validation pair")):
        told = done.told[name]
        assert told["release"] == release_id and told["tokens"] > 0
        assert told["changes"][0]["objective"] == objective
        assert (Path(told["path"]) / "model.safetensors").exists()
    assert done.told["sft_model"]["path"] != done.told["dpo_model"]["path"]
