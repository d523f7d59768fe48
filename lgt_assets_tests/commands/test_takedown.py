"""`lgt takedown` as a user types it."""

import json
from pathlib import Path

import pytest

from lgt_assets.cli import main
from lgt_assets.takedown.taking_down import Places
from lgt_assets_tests.takedown.made_state import make_state, release_of


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "state/dagster"))
    return make_state(tmp_path)


def run(code: int, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert (ending.value.code or 0) == code


def test_it_lists_removes_and_says_so(places: Places, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    image = places.store.read("images").row(0, named=True)
    release_id = release_of(places)
    export = ["--export", str(places.releases / release_id)]
    run(0, "takedown", image["uri"], *export)
    out = capsys.readouterr().out
    for said in (
        image["image_id"],
        "seed_questions",
        f"your original, which stays: {image['uri']}",
        "nothing was removed",
    ):
        assert said in out
    assert f"can no longer be rebuilt: release {release_id}" in out and "export that holds it" in out
    assert image["image_id"] in places.store.read("images")["image_id"].to_list()

    run(0, "takedown", image["uri"], "--yes", "--json")
    told = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    (done,) = told["takedowns"]
    assert told["removed"] and done["pictures"] == [image["image_id"]] and done["releases_given_up"] == [release_id]
    assert Path(image["uri"]).is_file() and image["image_id"] not in places.store.read("images")["image_id"].to_list()

    run(0, "takedown", "--json")
    (listed,) = json.loads(capsys.readouterr().out)["takedowns"]
    assert listed["image_id"] == image["image_id"] and listed["command"] == f"lgt takedown {image['image_id']} --yes"
    run(1, "show", image["image_id"])
    assert "was taken down on" in capsys.readouterr().err
    run(1, "export", "--out", str(tmp_path / "out"), "--at", release_id)
    assert "can no longer be rebuilt" in capsys.readouterr().err and not (tmp_path / "out").exists()
    run(1, "show", "i.made-00000.0123456789abcdef")
    assert "taken down" not in capsys.readouterr().err
