"""A process whose run goes on elsewhere, or was ended, writes nothing more."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.launcher import RunLauncher
from dagster._daemon.monitoring import RESUME_RUN_LOG_MESSAGE
from dagster._serdes import ConfigurableClass

from lgt_assets import run_fence, table_handles
from lgt_assets.errors import RunEndedError, StorageError
from lgt_assets.resources import Models, Tables
from lgt_assets.run_fence import RunFence
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import image_row

SHARD = "a-00000"


class ResumingLauncher(RunLauncher, ConfigurableClass):
    """As that of a cluster: it can resume runs. Tests launch none by it."""

    def __init__(self, inst_data=None) -> None:
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self):
        return self._inst_data

    @classmethod
    def config_type(cls):
        return {}

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_resume_run(self) -> bool:
        return True

    def launch_run(self, context) -> None:
        raise NotImplementedError

    def terminate(self, run_id) -> bool:
        raise NotImplementedError


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": __name__, "class": ResumingLauncher.__name__}
    overrides = {"run_launcher": launcher, "telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        yield instance


@pytest.fixture
def run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    @dg.job
    def nothing() -> None:
        """Has no op."""

    return instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)


def rows(caption: str) -> pl.DataFrame:
    return frame("images", [image_row(shard=SHARD, caption=caption)])


def resume(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What run monitoring says when it starts another process for a run."""
    instance.report_engine_event(RESUME_RUN_LOG_MESSAGE, run)


def test_a_process_that_was_superseded_ends_and_says_so(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    ended = []
    old = RunFence(instance, run.run_id, end=lambda: ended.append("old"))
    old.require()
    resume(instance, run)
    new = RunFence(instance, run.run_id, end=lambda: ended.append("new"))
    with pytest.raises(RunEndedError, match="resumed by another"):
        old.require()
    new.require()
    assert ended == ["old"]
    assert any("ends itself" in entry.message for entry in instance.all_logs(run.run_id))
    resume(instance, run)
    with pytest.raises(RunEndedError):
        new.require()


def test_what_began_a_run_is_superseded_by_any_resumption_before_its_first_step(
    instance: dg.DagsterInstance, run: dg.DagsterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume(instance, run)
    monkeypatch.setattr("sys.argv", ["dagster", "api", "execute_run", "{}"])
    with pytest.raises(RunEndedError):
        RunFence(instance, run.run_id, end=lambda: None).require()
    monkeypatch.setattr("sys.argv", ["dagster", "api", "resume_run", "{}"])
    RunFence(instance, run.run_id, end=lambda: None).require()


def test_a_run_that_was_ended_writes_no_more(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    fence = RunFence(instance, run.run_id)
    fence.require()
    instance.report_run_failed(run)
    with pytest.raises(RunEndedError, match="is failure: it was ended elsewhere"):
        fence.require()


def test_requests_ask_only_once_a_lease(
    instance: dg.DagsterInstance, run: dg.DagsterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(run_fence, "_now", lambda: now[0])
    fence = RunFence(instance, run.run_id)
    instance.report_run_failed(run)
    now[0] += run_fence.LEASE_SECONDS
    fence.require_lately()
    now[0] += 0.1
    with pytest.raises(RunEndedError):
        fence.require_lately()


def test_a_commit_that_loses_to_the_new_process_is_not_tried_again(tmp_path: Path) -> None:
    new = DeltaStore(str(tmp_path))
    asked = []

    def may_write() -> None:
        """The first time all is well, and before the old process commits the new one does; then the old one is told."""
        asked.append(1)
        if len(asked) > 1:
            raise RunEndedError("the run was resumed")
        table_handles.forget(new.uri("images"))  # another process has a handle of its own
        new.replace("images", rows("new"), shard=SHARD)

    new.replace("images", rows("before"), shard=SHARD)
    with pytest.raises(RunEndedError):
        DeltaStore(str(tmp_path), may_write=may_write).replace("images", rows("old"), shard=SHARD)
    assert len(asked) == 2
    assert new.read("images").equals(rows("new"))


def test_equal_rows_are_not_reported_by_who_may_not_write(tmp_path: Path) -> None:
    def refuse() -> None:
        raise RunEndedError("no")

    DeltaStore(str(tmp_path)).replace("images", rows("same"), shard=SHARD)
    with pytest.raises(RunEndedError):
        DeltaStore(str(tmp_path), may_write=refuse).replace("images", rows("same"), shard=SHARD)


def test_the_tables_of_a_run_are_fenced(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    refused = []

    @dg.asset
    def writing(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> None:
        tables.store().replace("images", rows("first"), shard=SHARD)
        context.instance.report_run_failed(context.run)
        try:
            tables.store().replace("images", rows("second"), shard=SHARD)
        except (RunEndedError, StorageError) as error:
            refused.append(error)
        raise dg.Failure("as the run has ended")

    resources = {"tables": Tables(root=str(tmp_path / "tables")), "models": Models()}
    dg.materialize([writing], instance=instance, resources=resources, raise_on_error=False)
    assert len(refused) == 1 and isinstance(refused[0], RunEndedError)
    assert DeltaStore(str(tmp_path / "tables")).read("images").equals(rows("first"))
