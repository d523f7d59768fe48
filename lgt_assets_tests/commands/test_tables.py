"""`lgt tables` as a user types it."""

import json
from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.cli import main
from lgt_assets.instance import open_instance
from lgt_assets.schemas import frame
from lgt_assets_tests.assets.test_maintenance import launch
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.rows import SHARD, image_row
from lgt_assets_tests.test_table_maintenance import pin


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    store = write_made_tables(tmp_path / "state")
    for turn in range(2):
        store.replace("images", frame("images", [image_row(caption=f"Turn {turn}.")]), shard=SHARD)
    pin(store, "mine", 1)
    return tmp_path / "state"


def answer(capsys: pytest.CaptureFixture, *arguments: str, code: int = 0) -> dict:
    with pytest.raises(SystemExit) as ending:
        main([*arguments, "--json"])
    assert (ending.value.code or 0) == code
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_stats_count_rows_files_versions_and_pins(capsys: pytest.CaptureFixture, state: Path) -> None:
    tables = {row["table"]: row for row in answer(capsys, "tables", "stats")["tables"]}
    images = tables["images"]
    assert (images["rows"], images["files"], images["version"], images["versions"]) == (1, 1, 3, 4)
    assert images["pinned"] == {"1": ["mine"]}
    assert images["bytes_kept"] == sum(file.stat().st_size for file in (state / "tables/images").rglob("*.*"))
    assert 0 < images["bytes"] < images["bytes_kept"]
    assert tables["distilled_cots"]["rows"] == 2 and not tables["distilled_cots"]["pinned"]


def test_maintain_frees_what_it_promised(capsys: pytest.CaptureFixture) -> None:
    promised = answer(capsys, "tables", "maintain", "--retain-hours", "0", "--dry-run")
    done = answer(capsys, "tables", "maintain", "--retain-hours", "0")
    assert promised["dry_run"] and not done["dry_run"]
    assert done["totals"]["bytes_removed"] == promised["totals"]["bytes_removed"] > 0
    (images,) = [row for row in done["tables"] if row["table"] == "images"]
    assert images["files_removed"] == 1 and images["pinned"] == [1]
    assert answer(capsys, "tables", "maintain")["totals"]["bytes_removed"] == 0


def test_for_people(capsys: pytest.CaptureFixture) -> None:
    for arguments, words in (
        (["stats"], "1: mine"),
        (["maintain"], "0 bytes freed"),
        (["maintain", "--dry-run"], "would be"),
    ):
        with pytest.raises(SystemExit) as ending:
            main(["tables", *arguments])
        assert not ending.value.code
        assert words in capsys.readouterr().out


def test_active_runs_are_named(capsys: pytest.CaptureFixture) -> None:
    with open_instance() as instance:
        active = launch(instance, dg.DagsterRunStatus.STARTED, "images")
    with pytest.raises(SystemExit) as ending:
        main(["tables", "maintain"])
    assert ending.value.code == 1
    assert active.run_id in capsys.readouterr().err
