"""`lgt show` and `lgt diff` as a user types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets.identity import digest
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.audit.conftest import store
from lgt_assets_tests.made_tables import made_id
from lgt_assets_tests.rows import SHARD

__all__ = ["store"]
TRACE = made_id("expanded_traces")


def run(code: int, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert (ending.value.code or 0) == code


def test_a_page_is_written_whole_and_the_tree_is_not_printed(store: DeltaStore, tmp_path: Path, capsys) -> None:
    path = tmp_path / "new folder/row.html"
    run(0, "show", TRACE, "--html", str(path))
    captured = capsys.readouterr()
    assert captured.out == "" and str(path) in captured.err.replace("\n", "")
    page = path.read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>") and "http://" not in page and "https://" not in page
    assert [one.name for one in path.parent.iterdir()] == ["row.html"]


def test_a_page_that_cannot_be_written_is_a_message(store: DeltaStore, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("")
    run(1, "show", TRACE, "--html", str(tmp_path / "file/row.html"))
    assert "lgt: --html" in capsys.readouterr().err
    run(1, "show", SHARD, "--html", str(tmp_path / "row.html"))
    assert "is a shard" in capsys.readouterr().err and not (tmp_path / "row.html").exists()


def test_a_shard_a_completion_and_a_picture_are_shown(store: DeltaStore, capsys) -> None:
    run(0, "show", SHARD)
    out = capsys.readouterr().out
    assert "distilled_cots 2 (version 1)" in out and store.read("images")["image_id"][0] in out
    run(0, "show", digest("seed", 0))
    out = capsys.readouterr().out
    assert "model: made" in out and store.read("seed_questions")["question_id"][0] in out and "\x1b" not in out
    run(0, "show", store.read("images")["sha256"][0])
    assert "descendants" in capsys.readouterr().out
    run(0, "show", store.read("rejections")["rejection_id"][0])
    assert "cut_off" in capsys.readouterr().out


def test_neither_dagster_nor_the_data_dictionary_is_loaded(store: DeltaStore, tmp_path: Path) -> None:
    """What they take is more than the command itself."""
    code = (
        "import sys; from lgt_assets.cli import main\n"
        f"try: main(['show', '{TRACE}', '--html', '{tmp_path / 'row.html'}'])\n"
        "except SystemExit as ending: assert not ending.code\n"
        "print(sorted({'dagster', 'pandera', 'torch', 'matplotlib'} & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_two_versions_are_told_apart(store: DeltaStore, capsys) -> None:
    rows = store.read("seed_questions")
    store.replace("seed_questions", rows.head(1), shard=SHARD)
    run(0, "diff", "seed_questions", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["from"], found["to"]) == (1, 2)
    assert found["rows"] == {"removed": 1, "added": 0, "changed": 0, "moved": 0, "unchanged": 1}
    assert found["examples"]["removed"][0]["key"] == rows["question_id"][1]
    run(0, "diff", "seed_questions")
    out = capsys.readouterr().out
    assert "1 removed, 0 added" in out and rows["question_id"][1] in out and "\x1b" not in out
    store.replace("seed_questions", frame("seed_questions", rows.to_dicts()), shard=SHARD)
    run(0, "diff", "seed_questions", "--from", "2", "--to", "3", "--limit", "0", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["rows"]["added"] == 1 and found["examples"]["added"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "there is no table nonsense"),
        (("seed_questions", "--to", "9"), "versions up to 1; there is no version 9"),
        (("seed_questions", "--to", "0"), "no version before 0"),
    ],
)
def test_what_cannot_be_compared_is_a_message(store: DeltaStore, capsys, arguments, words) -> None:
    run(1, "diff", *arguments)
    assert words in capsys.readouterr().err.replace("\n", " ")
