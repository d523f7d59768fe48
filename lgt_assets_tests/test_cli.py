"""Commands as a user types them: what they print, and how they end."""

import json
from pathlib import Path

import pytest
from PIL import Image

from lgt_assets.cli import main
from lgt_assets_tests.made_tables import made_id, write_made_tables


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("LGT_PROFILE", raising=False)
    return tmp_path / "state"


def ends_with(code: int, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert (ending.value.code or 0) == code


def test_report_as_json_is_one_line(state: Path, capsys: pytest.CaptureFixture) -> None:
    write_made_tables(state)
    ends_with(0, "report", "--json")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["tables"]["distilled_cots"]["rejected"] == {"cut_off": 2, "no_answer": 1}


def test_report_for_people(state: Path, capsys: pytest.CaptureFixture) -> None:
    write_made_tables(state)
    ends_with(0, "report")
    assert "cut_off 2, no_answer 1" in capsys.readouterr().out


def test_show_draws_the_family_and_keeps_hostile_text_harmless(state: Path, capsys: pytest.CaptureFixture) -> None:
    write_made_tables(state)
    ends_with(0, "show", made_id("expanded_traces"))
    out = capsys.readouterr().out
    assert out.index("ancestors") < out.index("Question 0?") < out.index("descendants") < out.index(made_id("sft_mix"))
    assert "[bold red]not markup[/]" in out
    assert "\x1b" not in out and "\\x1b" in out


def test_show_with_the_request(state: Path, capsys: pytest.CaptureFixture) -> None:
    rows = write_made_tables(state).read("seed_questions")
    ends_with(0, "show", rows["question_id"][0], "--request")
    assert "model: made" in capsys.readouterr().out


def test_show_limits_children(state: Path, capsys: pytest.CaptureFixture) -> None:
    rows = write_made_tables(state).read("seed_questions")
    ends_with(0, "show", rows["question_id"][0], "--limit", "1")
    assert "… and 3 more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nonsense"], "is not a row id"),
        (["show", "q.made-00000.0000000000000000"], "has no row"),
        (["run"], "add a source first"),
        (["run", "--select", "nothing"], "there is no asset nothing; there are composed_questions"),
        (["run", "--select", "images and"], "--select 'images and'"),
        (
            ["sources", "add", "mine", "--kind", "nonsense"],
            "no kind of source 'nonsense'; there are scenes, photos, manifest",
        ),
        (["sources", "add", "mine", "--kind", "manifest", "--path", "nowhere.jsonl"], "there is no manifest"),
        (["sources", "add", "mine", "--kind", "scenes", "--option", "size=3"], "Known options: count"),
        (["sources", "add", "No Name", "--kind", "scenes"], "No Name"),
    ],
)
def test_an_error_is_a_message_and_exit_1(arguments: list[str], words: str, capsys: pytest.CaptureFixture) -> None:
    ends_with(1, *arguments)
    captured = capsys.readouterr()
    assert words in captured.err and captured.err.startswith("lgt: ")
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["show"], ["report", "--nonsense"], ["sources", "add", "mine", "--kind", "scenes", "--option", "size"],
     ["sources", "add", "mine", "--kind", "scenes", "--count", "many"]],
)  # fmt: skip
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    ends_with(2, *arguments)
    assert "Usage" in capsys.readouterr().err


def test_bad_rows_are_counted_and_shown_and_the_rest_is_added(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    good = {"id": "a", "image": "red.png", "caption": "Red.", "boxes": [], "license": "CC0"}
    rows = [good, good | {"id": "b", "image": "gone.png"}, good | {"id": "c", "caption": "[bold]"} | {"caption": ""}]
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ends_with(0, "sources", "add", "mine", "--kind", "manifest", "--path", str(manifest), "--json")
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"source": "mine", "added": 1, "known": 0, "bad": 2, "shards": ["mine-00000"]}
    assert "row 2, image" in captured.err and "row 3, caption" in captured.err and str(manifest) in captured.err
    ends_with(0, "sources", "add", "mine", "--kind", "manifest", "--path", str(manifest))
    assert "0 pictures added in 0 shards, 1 known already, 0 bad rows" in capsys.readouterr().out
    ends_with(0, "sources", "list", "--json")
    listed = json.loads(capsys.readouterr().out)["sources"]
    assert listed == [{"name": "mine", "kind": "manifest", "images": 1, "bad": 2, "shards": ["mine-00000"]}]
    ends_with(0, "sources", "show", "mine", "--json")
    card = json.loads(capsys.readouterr().out)
    assert (card["pictures"], card["licenses"]) == (1, {"CC0": 1})
    assert card["refused"] == {"missing_file": 1, "caption_empty": 1}
    ends_with(0, "sources", "show", "mine")
    assert "caption_empty" in capsys.readouterr().out
    ends_with(1, "sources", "show", "other")
    assert "no source 'other'" in capsys.readouterr().err


def test_run_makes_tables_and_ends_with_the_funnel(capsys: pytest.CaptureFixture) -> None:
    ends_with(0, "sources", "add", "made", "--kind", "scenes", "--count", "3", "--shard-size", "2")
    capsys.readouterr()
    ends_with(0, "run", "--select", "images,grounded_objects", "--shards", "made-*", "--json")
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["tables"]["images"]["rows"] == result["tables"]["images"]["asked"] == 3
    assert result["tables"]["grounded_objects"]["rows"] >= 3
    assert (result["requests_sent"], result["requests_reused"]) == (0, 0)
    assert result["seconds"] > 0


def test_a_step_that_fails_is_named_after_the_funnel(capsys: pytest.CaptureFixture) -> None:
    ends_with(0, "sources", "add", "made", "--kind", "scenes", "--count", "1")
    ends_with(1, "run", "--select", "grounded_objects")
    captured = capsys.readouterr()
    assert "lgt run --select images --shards made-00000" in captured.err
    assert "grounded_objects" in captured.out and "Traceback" not in captured.err


def test_doctor_says_what_works(capsys: pytest.CaptureFixture) -> None:
    ends_with(0, "doctor", "--json")
    result = json.loads(capsys.readouterr().out)
    assert result["profile"] == "embedded" and result["works"]["embedded"]
    ends_with(0, "doctor")
    assert "profile embedded (in force): works here" in capsys.readouterr().out


def test_doctor_ends_with_1_where_the_profile_does_not_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("LGT_PROFILE", "nowhere.yaml")
    ends_with(1, "doctor")
    assert "no profile 'nowhere.yaml'" in capsys.readouterr().out


def test_env_prints_what_a_shell_can_read(state: Path, capsys: pytest.CaptureFixture) -> None:
    ends_with(0, "env")
    assert capsys.readouterr().out.splitlines() == [f"export LGT_STATE={state}", f"export DAGSTER_HOME={state}/dagster"]
    assert (state / "dagster" / "dagster.yaml").is_file()
