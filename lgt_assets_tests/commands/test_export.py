"""`lgt export` writes and verifies, says what it did, and what is wrong with what it was asked."""

import json
from pathlib import Path

import pytest

from lgt_assets.assets.release_making import kept_release
from lgt_assets.cli import main
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_dataset import SHARDS, write_dataset


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with one release."""
    state = tmp_path_factory.mktemp("state")
    store = DeltaStore(str(state / "tables"))
    write_dataset(store, state / "pictures")
    kept_release(store, load_profile("embedded"), SHARDS, root=state / "releases", code_version="1")
    return state


@pytest.fixture
def lgt(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Runs a command; its exit status, its standard output and its standard error."""
    monkeypatch.setenv("LGT_STATE", str(state))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = capsys.readouterr()
        return stopped.value.code or 0, captured.out, captured.err

    return run


def test_an_export_says_what_it_wrote_and_is_verified(lgt, tmp_path: Path):
    out = tmp_path / "swift"
    status, told, _ = lgt("export", "--format", "swift", "--out", str(out), "--json")
    found = json.loads(told.splitlines()[-1])
    assert status == 0 and found["format"] == "swift"
    assert {(row["config"], row["split"]): row["rows"] for row in found["rows"]}["sft_stage1", "train"] == 4
    status, told, _ = lgt("export", "--verify", str(out))
    assert status == 0 and "is whole" in told
    (out / "sft_stage1_train.jsonl").write_text("{}\n")
    status, told, _ = lgt("export", "--verify", str(out))
    assert status == 1 and "changed: sft_stage1_train.jsonl" in told
    status, told, _ = lgt("export", "--verify", str(out), "--json")
    assert status == 1 and json.loads(told.splitlines()[-1])["changed"] == ["sft_stage1_train.jsonl"]


def test_only_some_configs(lgt, tmp_path: Path):
    status, told, _ = lgt("export", "-f", "rows", "-o", str(tmp_path / "out"), "--config", "rl_stage1")
    assert status == 0 and "rl_stage1" in told and "sft_stage1" not in told
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} >= {"rl_stage1"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "trl", "--out", "OUT"], "no format 'trl': there are hf"),
        (["--at", "zz", "--out", "OUT"], "no release begins with 'zz'"),
        (["--format", "verl", "--pictures", "files", "--out", "OUT"], "the format verl has embedded"),
        (["--verify", "OUT"], "has no SHA256SUMS"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(lgt, tmp_path: Path, arguments: list[str], said: str):
    status, _, error = lgt("export", *(str(tmp_path / "out") if one == "OUT" else one for one in arguments))
    assert status == 1 and said in " ".join(error.split()) and "Traceback" not in error


def test_a_folder_must_be_given(lgt):
    status, _, error = lgt("export")
    assert status == 2 and "--out" in error
