"""A cell of the group post_training on a real instance, from a release's tables to scores, and the check of what was asked."""

import io
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from lgt_assets.assets.evaluation import evaluation, nothing_asked_was_trained_on
from lgt_assets.assets.post_training import sft_model
from lgt_assets.embedded.scenes import render
from lgt_assets.resources import Models, Tables
from lgt_assets.training.evaluations import TABLE
from lgt_assets.training.held_out import IN_DOMAIN, SUITES, questions
from lgt_assets_tests.trainers.made_examples import made_release

ASKED = {"questions": 5, "out_of_domain": 1}
CONFIG = {"ops": {"sft_model": {"config": {"steps": 2, "batch": 2}}, "evaluation": {"config": ASKED}}}
CELL = dg.MultiPartitionKey({"recipe": "merged", "seed": "1"})


def made(instance: dg.DagsterInstance, assets: list, config: dict) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        assets, instance=instance, partition_key=CELL, run_config=config, resources={"tables": Tables(), "models": Models()},
        raise_on_error=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_cell_is_scored_once_and_a_leak_planted_into_its_release_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl")
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    store, release_id = made_release(tmp_path)
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        done = made(instance, [sft_model, evaluation, nothing_asked_was_trained_on], CONFIG)
        assert done.success
        (told,) = done.get_asset_check_evaluations()
        assert told.passed and told.metadata["questions"].value == 5 + len(SUITES) - 1
        rows = store.read(TABLE)
        totals = rows.filter(pl.col("type") == "all")
        assert set(totals.select("stage", "suite", "n").rows()) == {
            (stage, suite, 5 if suite == IN_DOMAIN else 1) for stage in ("student", "sft") for suite in SUITES
        }
        assert set(totals.select("stage", "recipe", "seed").rows()) == {("student", "", ""), ("sft", "merged", "1")}

        plant(tmp_path / "models" / release_id / "export")
        done = made(instance, [sft_model, evaluation, nothing_asked_was_trained_on], CONFIG)
        (told,) = done.get_asset_check_evaluations()
        assert not told.passed and told.metadata["leaks"].value == 1
        assert "held_out, question 3: same_picture" in told.metadata["said"].value
        assert store.read(TABLE).equals(rows)  # nothing was asked again


def plant(export: Path) -> None:
    """A row of the export gets a picture that the models were asked about."""
    path = next(export.glob("sft_stage1/train-*.parquet"))
    rows, buffer = pl.read_parquet(path), io.BytesIO()
    render(questions(IN_DOMAIN, 5)[3].example.scene).save(buffer, "PNG")
    planted = rows.head(1).with_columns(
        pl.Series("images", [[{"bytes": buffer.getvalue(), "path": None}]], dtype=rows.schema["images"])
    )
    pl.concat([rows, planted]).write_parquet(path)
