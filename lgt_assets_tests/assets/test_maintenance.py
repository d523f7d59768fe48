"""Maintenance with a real Dagster instance: refused while runs are active, and what it says it did."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from lgt_assets.assets.maintenance import (
    ACTIVE,
    Maintenance,
    maintain,
    maintenance,
    nightly_maintenance,
    require_no_runs,
)
from lgt_assets.definitions import defs
from lgt_assets.errors import StorageError
from lgt_assets.instance import open_instance
from lgt_assets.resources import Tables
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.rows import SHARD, image_row
from lgt_assets_tests.test_leftover_files import age
from lgt_assets_tests.test_table_maintenance import is_readable, pin

FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> DeltaStore:
    """All tables; images were written three times more, and a release pins the second version."""
    store = write_made_tables(state)
    for turn in range(3):
        store.replace("images", frame("images", [image_row(caption=f"Turn {turn}.")]), shard=SHARD)
    pin(store, "pinned", 2)
    return store


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield instance


def launch(instance: dg.DagsterInstance, status: DagsterRunStatus, *assets: str) -> dg.DagsterRun:
    """A run of ``assets`` that has come so far."""
    keys = frozenset(map(dg.AssetKey, assets))
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection=set(keys))
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="lgt_assets.definitions"), "lgt_assets")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job.name)
    return instance.create_run_for_job(job, asset_selection=keys, status=status, remote_job_origin=origin)


def run(instance: dg.DagsterInstance, store: DeltaStore, state: Path, **options: object) -> Maintenance:
    return maintain(instance, store, state / "releases", **({"retain_hours": 0, "dry_run": False} | options))


@pytest.mark.parametrize("status", ACTIVE)
def test_active_runs_are_named_and_nothing_is_touched(
    instance: dg.DagsterInstance, store: DeltaStore, state: Path, status: DagsterRunStatus
) -> None:
    active = launch(instance, status, "images", "seed_questions")
    with pytest.raises(StorageError, match=rf"{active.run_id} \(images, seed_questions: {status.value.lower()}\)"):
        run(instance, store, state)
    result = maintenance.execute_in_process(
        instance=instance, resources={"tables": Tables()}, raise_on_error=False, run_config=no_hours()
    )
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert active.run_id in failure.step_failure_data.user_failure_data.description
    assert all(is_readable(store, version) for version in range(store.version("images") + 1))


@pytest.mark.parametrize("status", FINISHED)
def test_runs_that_have_ended_do_not_matter(instance: dg.DagsterInstance, status: DagsterRunStatus) -> None:
    launch(instance, status, "images")
    require_no_runs(instance)


def no_hours() -> dict:
    return {"ops": {"maintain_tables": {"config": {"retain_hours": 0}}}}


def test_the_job_frees_what_is_not_pinned_and_says_how_much(
    instance: dg.DagsterInstance, store: DeltaStore, state: Path
) -> None:
    before, pinned = store.read("images"), store.read("images", version=2)
    promised = run(instance, store, state, dry_run=True).totals()
    result = maintenance.execute_in_process(instance=instance, resources={"tables": Tables()}, run_config=no_hours())
    (output,) = [event.step_output_data for event in result.all_events if event.is_successful_output]
    assert output.metadata["files_removed"].value == promised["files_removed"] == 2
    assert output.metadata["bytes_removed"].value == promised["bytes_removed"] > 0
    assert store.read("images").equals(before) and store.read("images", version=2).equals(pinned)
    assert [version for version in range(1, 5) if is_readable(store, version)] == [2, 4]


class Interrupted(DeltaStore):
    """Somebody begins a run while the second table is maintained."""

    def create(self, table: str) -> None:
        super().create(table)
        if table == "grounded_objects":
            with dg.DagsterInstance.get() as instance:
                launch(instance, DagsterRunStatus.STARTED, "rl_prompts")


def test_a_run_that_begins_meanwhile_ends_it(store: DeltaStore, state: Path) -> None:
    with open_instance() as instance:
        done = run(instance, Interrupted(store.root), state)
        (begun,) = instance.get_runs()
    assert done.tables[0].files_removed == 2 and not done.tables[0].left_alone
    assert len(done.left_alone) == len(done.tables) - 1 > 8
    assert all(begun.run_id in reason for reason in done.left_alone)


def test_unfinished_releases_are_removed_when_old(instance: dg.DagsterInstance, store: DeltaStore, state: Path) -> None:
    for name in (".writing-old", ".writing-young", "0123456789abcdef"):
        (state / "releases" / name).mkdir(parents=True)
        (state / "releases" / name / "rows.parquet").write_bytes(b"rows")
    age(state / "releases/.writing-old", 25)
    age(state / "releases/0123456789abcdef", 99)
    assert run(instance, store, state, dry_run=True).totals()["folders_removed"] == 1
    assert run(instance, store, state).totals()["folders_removed"] == 1
    assert sorted(path.name for path in (state / "releases").iterdir()) == [".writing-young", "0123456789abcdef"]


def test_the_schedule_is_off_and_waits_for_runs(state: Path) -> None:
    schedule = defs.resolve_schedule_def("nightly_maintenance")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED and schedule.job_name == "maintenance"
    with open_instance() as instance, dg.build_schedule_context(instance=instance) as context:
        assert len(nightly_maintenance.evaluate_tick(context).run_requests) == 1
        active = launch(instance, DagsterRunStatus.STARTED, "images")
        tick = nightly_maintenance.evaluate_tick(context)
    assert not tick.run_requests and active.run_id in tick.skip_message


def test_rows_that_are_made_again_after_maintenance_are_no_new_data(
    instance: dg.DagsterInstance, store: DeltaStore, state: Path
) -> None:
    """Compaction would give the slice other files, and all below it would be stale though no row changed."""
    before = {table: store.slice_version(table, SHARD) for table in ("images", "seed_questions", "sft_mix")}
    run(instance, store, state)
    for table in before:
        store.replace(table, store.read(table), shard=SHARD)
    assert {table: store.slice_version(table, SHARD) for table in before} == before
