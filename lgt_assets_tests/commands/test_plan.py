"""`lgt plan`: for people, as JSON, with figures of the state folder, and wrong usage."""

import json
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import funnel_row, generation_row
from lgt_assets_tests.rows import SHARD

MODEL = "Qwen/Qwen2.5-VL-72B-Instruct"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["plan", "--profile", "paper", *arguments])
    return int(ending.value.code or 0)


def answer(capsys: pytest.CaptureFixture, *arguments: str) -> dict:
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_people_see_lines_sums_and_how_each_number_is_known(capsys: pytest.CaptureFixture, state: Path) -> None:
    assert run("--throughput", "vision=300:6000", "--throughput", "reasoning=150", "--gpus", "64") == 0
    said = capsys.readouterr().out
    assert "1,000,000 questions" in said and "wall days on 64 GPUs, always busy: " in said
    assert "assumed, given" in said and "--throughput vision=300:6000" in said and "arXiv 2511.05705" in said
    assert not list(state.iterdir())


def test_without_a_speed_hours_are_not_known_and_it_says_how_to_give_one(capsys: pytest.CaptureFixture) -> None:
    assert run() == 0
    out, err = capsys.readouterr()
    assert "always busy: not known" in out and "give --throughput MODEL=NEW:PROMPT" in err


def test_json_has_all_of_it(capsys: pytest.CaptureFixture) -> None:
    found = answer(
        capsys, "--images", "100", "--questions", "1000", "--throughput", "vision=10", "--throughput", "reasoning=10"
    )
    double = answer(
        capsys, "--images", "200", "--questions", "2000", "--throughput", "vision=10", "--throughput", "reasoning=10"
    )
    assert double["totals"]["gpu_hours"] == pytest.approx(2 * found["totals"]["gpu_hours"])
    assert {one["basis"] for one in found["figures"].values()} == {"measured", "given", "assumed"}
    assert found["totals"]["dollars"] is None  # no price is given


def test_what_the_tables_hold_is_measured_where_the_model_is_the_same(
    capsys: pytest.CaptureFixture, state: Path
) -> None:
    store = DeltaStore(str(state / "tables"))
    row = {"role": "vlm", "prompt_tokens": 900, "completion_tokens": 300}
    rows = [generation_row("distilled_cots", f"{number:064x}", "text") | row | {"model": MODEL} for number in range(60)]
    store.replace("generations", frame("generations", rows), shard=SHARD, asset="distilled_cots")
    funnel = funnel_row("distilled_cots", requests_sent=60, prompt_tokens=60 * 900, completion_tokens=60 * 300)
    store.replace("funnel", frame("funnel", [funnel | {"device_seconds": 120.0}]), shard=SHARD, asset="distilled_cots")
    found = answer(capsys)
    assert found["figures"]["distilled_cots.vlm.new_tokens"]["value"] == 300
    vlm = next(one for one in found["work"] if one["role"] == "vlm")
    assert (vlm["tokens_basis"], vlm["hours_basis"]) == ("measured", "measured")
    assert vlm["gpu_hours"] == pytest.approx(1e7 * 2 / 3600)
    assert found["figures"]["generations.bytes_per_row"]["basis"] == "measured"
    assert answer(capsys, "--no-measured")["figures"]["distilled_cots.vlm.new_tokens"]["basis"] == "assumed"


@pytest.mark.parametrize(
    "option", ["vision", "vision=", "vision=0", "vision=nan", "vision=10:", "vision=10:x", "nobody=10"]
)
def test_a_wrong_speed_is_refused(capsys: pytest.CaptureFixture, option: str) -> None:
    assert run("--throughput", option) == 1
    assert f"--throughput {option}: write MODEL=NEW or MODEL=NEW:PROMPT" in capsys.readouterr().err


def test_the_page_shows_what_the_command_prints(capsys: pytest.CaptureFixture) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    section = page.partition("## Planning the paper's full run")[2]
    command, shown = section.split("```bash\n")[1].split("\n")[0], section.split("```text\n")[1].split("\n```")[0]
    assert run(*command.split()[4:]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert command.startswith("lgt plan --profile paper ") and shown.splitlines() == printed[: len(shown.splitlines())]
