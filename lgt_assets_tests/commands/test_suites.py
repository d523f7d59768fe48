"""`lgt suites` writes a folder for lmms-eval, less what an export asks."""

import json
from pathlib import Path

import polars as pl
from typer.testing import CliRunner

from lgt_assets.cli import app
from lgt_assets.embedded.scenes import render
from lgt_assets.training.held_out import IN_DOMAIN, SUITES, questions


def written(out: Path, *arguments: str) -> pl.DataFrame:
    done = CliRunner().invoke(app, ["suites", "--out", str(out), "--questions", "5", "--json", *arguments])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output.splitlines()[-1])
    assert told["tasks"][: len(SUITES)] == [f"lgt_{suite}" for suite in SUITES]
    return pl.read_parquet(out / f"{IN_DOMAIN}.parquet")


def test_prompts_of_an_export_are_passed_over(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    first = questions(IN_DOMAIN, 1)[0].example
    assert whole["prompt"][0] == first.user and whole.height == 5
    render(first.scene).save(tmp_path / "picture.png")
    picture = {"bytes": (tmp_path / "picture.png").read_bytes(), "path": None}
    (tmp_path / "export" / "sft_stage1").mkdir(parents=True)
    rows = pl.DataFrame({"images": [[picture]], "prompt": [[{"role": "user", "content": first.user}]]})
    rows.write_parquet(tmp_path / "export" / "sft_stage1" / "train-00000.parquet")
    clean = written(tmp_path / "clean", "--not-in", str(tmp_path / "export"))
    assert clean.height == 5 and first.user not in clean["prompt"].to_list()
