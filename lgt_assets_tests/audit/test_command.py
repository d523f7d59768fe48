"""`lgt audit` and `lgt report` as a user types them."""

import json
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets_tests.audit.test_scores import COTS, verdict, write


def run(code: int, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert (ending.value.code or 0) == code


def test_a_page_lies_in_the_state_folder_and_the_same_sample_is_the_same_page(store, tmp_path, capsys):
    run(0, "audit", "sample", "--table", "expanded_traces", "--n", "3")
    path = tmp_path / "state/audits/expanded_traces-1-0.html"
    assert "1 of 1 rows of expanded_traces" in capsys.readouterr().out
    before = path.read_bytes()
    run(0, "audit", "sample", "--table", "expanded_traces", "--n", "3", "--output", str(tmp_path / "again.html"))
    assert (tmp_path / "again.html").read_bytes() == before


def test_scores_are_shown_kept_and_in_the_report(store, tmp_path, capsys):
    write(tmp_path / "verdicts.jsonl", verdict(), verdict(COTS[1], verdict="wrong", error_kind="perception"))
    run(0, "audit", "score", str(tmp_path / "verdicts.jsonl"))
    assert "50.0% (9.5% to 90.5%)" in capsys.readouterr().out
    run(0, "report")
    out = capsys.readouterr().out
    assert "audited by people" in out and "perception 1" in out
    run(0, "report", "--json")
    assert json.loads(capsys.readouterr().out)["audits"]["distilled_cots"]["wrong"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sample", "--table", "images"), "there are seed_questions"),
        (("score", "nowhere.jsonl"), "nowhere.jsonl: No such file"),
    ],
)
def test_an_error_is_a_message(store, capsys, arguments, words):
    run(1, "audit", *arguments)
    captured = capsys.readouterr()
    assert words in captured.err and "Traceback" not in captured.err


def test_a_bad_line_is_a_message_and_keeps_nothing(store, tmp_path: Path, capsys):
    write(tmp_path / "verdicts.jsonl", verdict(verdict="maybe"))
    run(1, "audit", "score", str(tmp_path / "verdicts.jsonl"))
    assert "line 1, verdict" in capsys.readouterr().err
    assert store.read("audits").height == 0
