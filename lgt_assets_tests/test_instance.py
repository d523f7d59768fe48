"""The instance below the state folder."""

import os
from pathlib import Path

import pytest

from lgt_assets.errors import SettingsError
from lgt_assets.instance import open_instance, prepare_environment
from lgt_assets.instance_files import configuration_of


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere"))
    return tmp_path / "state"


def test_all_state_lies_below_one_folder(state: Path) -> None:
    with open_instance() as instance:
        instance.add_dynamic_partitions("shard", ["made-00000"])
        assert os.environ["DAGSTER_HOME"] == str(state / "dagster")
        assert Path(instance.root_directory) == state / "dagster"
    assert not (state.parent / "elsewhere").exists()
    assert [path.name for path in state.iterdir()] == ["dagster"]
    with open_instance() as instance:
        assert list(instance.get_dynamic_partitions("shard")) == ["made-00000"]


def test_the_shipped_configuration_is_in_force(state: Path) -> None:
    with open_instance() as instance:
        assert not instance.telemetry_enabled
        assert not instance.run_retries_enabled
        assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] == 30
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


def test_a_configuration_that_is_there_is_kept(state: Path) -> None:
    home = prepare_environment()
    assert (home / "dagster.yaml").read_text() == configuration_of("laptop")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    prepare_environment()
    assert (home / "dagster.yaml").read_text() == "telemetry:\n  enabled: false\n"


def test_a_wrong_configuration_names_its_file(state: Path) -> None:
    (prepare_environment() / "dagster.yaml").write_text("no_such_key: 1\n")
    with pytest.raises(SettingsError, match=r"dagster\.yaml"):
        open_instance()


def test_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", "/proc/nowhere")
    with pytest.raises(SettingsError, match="set LGT_STATE"):
        prepare_environment()
