"""`lgt method`: numbers as markdown, as JSON, and into a page."""

import json
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets.method_tables import BEGIN, END, SECTIONS
from lgt_assets_tests.made_tables import write_made_tables

DOCS = Path(__file__).parents[2] / "docs" / "method.md"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    write_made_tables(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    return ending.value.code or 0


def test_it_prints_every_section(capsys: pytest.CaptureFixture) -> None:
    assert run("method") == 0
    text = capsys.readouterr().out
    assert all(f"### {title}" in text for title, _, _ in SECTIONS.values())
    assert "| distilled_cots | 2 | cut_off | 2 | 40.0 % |" in text


def test_json_is_the_last_line(capsys: pytest.CaptureFixture) -> None:
    assert run("method", "--json") == 0
    assert set(json.loads(capsys.readouterr().out.splitlines()[-1])) == set(SECTIONS)


def test_the_shipped_page_takes_the_numbers(state: Path, capsys: pytest.CaptureFixture) -> None:
    page = state / "method.md"
    page.write_text(DOCS.read_text(encoding="utf-8"), encoding="utf-8")
    assert run("method", "--into", str(page)) == 0
    between = page.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert "| distilled_cots | 2 | cut_off | 2 | 40.0 % |" in between and capsys.readouterr().out == ""


def test_a_page_without_markers_is_an_error(state: Path, capsys: pytest.CaptureFixture) -> None:
    page = state / "method.md"
    page.write_text("nothing", encoding="utf-8")
    assert run("method", "--into", str(page)) == 1
    assert "method.md" in capsys.readouterr().err
