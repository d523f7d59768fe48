"""The instance below the state folder."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.errors import SettingsError
from lgt_assets.instance import close_dead_runs, open_instance, prepare_environment
from lgt_assets.instance_files import configuration_of

KILLED_IN_THE_POOL = """
import os, signal
import dagster as dg
from lgt_assets.instance import open_instance

@dg.asset(pool="gpu")
def killed():
    os.kill(os.getpid(), signal.SIGKILL)

job = dg.Definitions(assets=[killed], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
job.execute_in_process(instance=open_instance())
"""


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


def test_a_killed_run_gives_its_slot_back(state: Path) -> None:
    with open_instance():
        pass
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_THE_POOL], capture_output=True, timeout=120, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    with open_instance() as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.event_log_storage.get_concurrency_info("gpu").active_slot_count == 0
        assert close_dead_runs(instance) == []
