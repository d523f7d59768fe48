"""`lgt insights` of a state folder with a release and planted answers: what is known is written between the markers."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets.commands.insights import BEGIN, END
from lgt_assets.embedded.evaluation import Share
from lgt_assets.embedded.scenes import render
from lgt_assets.schemas import frame
from lgt_assets.sources.files import locked_at_once
from lgt_assets.storage import DeltaStore
from lgt_assets.training.contamination import seen
from lgt_assets.training.evaluations import TABLE, ScoredModel
from lgt_assets.training.held_out import IN_DOMAIN, questions
from lgt_assets.training.insight_cells import cell_lock, cell_runs
from lgt_assets.training.students import student_folder
from lgt_assets_tests.trainers.made_examples import made_release

ASKED = questions(IN_DOMAIN, 20)


@pytest.fixture
def release_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    return made_release(tmp_path)[1]


def plant(root: Path, release_id: str, model: tuple[str, str, str], right: int) -> None:
    """What scoring a model would have left."""
    scored = ScoredModel(root, release_id, *model, student_folder())
    lines = [
        seen(one.suite, one.example.user, render(one.example.scene)).as_dict() | {"right": number < right}
        for number, one in enumerate(ASKED)
    ]
    scored.answers.mkdir(parents=True)
    (scored.answers / f"{IN_DOMAIN}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    low, high = Share(right, len(ASKED)).interval()
    row = scored.names() | {
        "number": 1, "suite": IN_DOMAIN, "type": "all", "n": len(ASKED), "right": right, "low": low, "high": high,
        "well_formed": 20, "tokens": 9, "seconds": 1.0,
    }  # fmt: skip
    DeltaStore(str(root / "tables")).append(TABLE, frame(TABLE, [row]))


def insights(page: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["insights", "--report-only", "--into", str(page), "--json", *arguments])
    return int(ending.value.code or 0)


def test_what_is_known_is_written_between_the_markers(
    release_id: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    page = tmp_path / "insights.md"
    page.write_text(f"# Ours\n\n{BEGIN}\n\nold\n\n{END}\n\nAlso ours.\n")
    assert insights(page) == 1 and "was scored yet" in capsys.readouterr().err
    plant(tmp_path, release_id, ("student", "", ""), 5)
    for seed, right in (("0", 16), ("1", 17), ("2", 18)):
        plant(tmp_path, release_id, ("sft", "long", seed), right)
    assert insights(page) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"release": release_id, "models": 4, "leaks": 0, "cells": {"run": 0, "skipped": 0, "left": 0}}
    text = page.read_text()
    assert text.startswith("# Ours") and text.endswith("Also ours.\n") and "old" not in text
    assert "long less direct: not run" in text and "+60.0 (" in text and "better" in text
    assert (tmp_path / "images" / "insights.png").read_bytes().startswith(b"\x89PNG")
    page.write_text("# Without markers\n")
    assert insights(page) == 1 and "must have the lines" in capsys.readouterr().err


def test_cells_that_another_process_runs_are_left_to_it(
    release_id: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    plant(tmp_path, release_id, ("student", "", ""), 5)
    page = tmp_path / "insights.md"
    page.write_text(f"{BEGIN}\n\n{END}\n")
    runs = list(cell_runs(("0",), questions=500, out_of_domain=100))
    with ExitStack() as others:
        for path in {cell_lock(tmp_path, release_id, run) for run in runs}:
            assert others.enter_context(locked_at_once(path))
        with pytest.raises(SystemExit) as ending:
            main(["insights", "--seeds", "1", "--into", str(page), "--json"])
    assert not ending.value.code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cells"] == {"run": 0, "skipped": 0, "left": len(runs)}


def test_a_page_without_markers_is_refused_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))  # without a release
    (tmp_path / "page.md").write_text("# Without markers\n")
    with pytest.raises(SystemExit):
        main(["insights", "--into", str(tmp_path / "page.md")])
    assert "must have the lines" in capsys.readouterr().err and not (tmp_path / "state").exists()
