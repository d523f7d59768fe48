"""When automation asks for a shard, tick by tick, without a daemon."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster import AssetKey, DagsterRunStatus

from lgt_assets.automation import make_missing
from lgt_assets.partitions import SHARDS

SHARD = "mine-00000"


@dg.asset(partitions_def=SHARDS)
def images() -> None: ...


@dg.asset(partitions_def=SHARDS, deps=[images], automation_condition=make_missing())
def questions() -> None: ...


@dg.asset(partitions_def=SHARDS, deps=[questions], automation_condition=make_missing())
def traces() -> None: ...


CHAIN = [images, questions, traces]
BOTH = {"questions", "traces"}


class Ticks:
    """An instance with one shard, whose images are there, and the automation that looks at it."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance, self.cursor = instance, None
        self.definitions = dg.Definitions(assets=CHAIN)
        instance.add_dynamic_partitions(str(SHARDS.name), [SHARD])

    def make(self, *assets: dg.AssetsDefinition) -> None:
        """One run of ``assets``, to its end."""
        assert dg.materialize(CHAIN, instance=self.instance, selection=list(assets), partition_key=SHARD).success

    def launch(self, *names: str) -> dg.DagsterRun:
        """A run that began and made nothing yet."""
        keys = {AssetKey(name) for name in names}
        job = self.definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=keys)
        return self.instance.create_run_for_job(
            job, tags={"dagster/partition": SHARD}, asset_selection=frozenset(keys), status=DagsterRunStatus.STARTED
        )

    def terminate(self, run: dg.DagsterRun) -> None:
        self.instance.report_run_canceled(self.instance.get_run_by_id(run.run_id))

    def fail(self, run: dg.DagsterRun) -> None:
        self.instance.report_run_failed(self.instance.get_run_by_id(run.run_id))

    def look(self) -> set[str]:
        """Assets that are asked for in the next tick."""
        result = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return {asset.key.to_user_string() for asset in CHAIN if result.get_num_requested(asset.key)}


@pytest.fixture
def ticks() -> Iterator[Ticks]:
    with dg.DagsterInstance.ephemeral() as instance:
        looked = Ticks(instance)
        looked.make(images)
        yield looked


def test_a_chain_is_asked_for_once_in_one_tick_also_when_nothing_came_of_it(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    assert [ticks.look() for _ in range(3)] == [set()] * 3


def test_a_terminated_run_is_asked_for_again_when_what_is_above_was_made_again(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    run = ticks.launch(*BOTH)
    assert ticks.look() == set()
    ticks.terminate(run)
    assert [ticks.look() for _ in range(3)] == [set()] * 3
    ticks.make(images)
    assert ticks.look() == BOTH
    assert [ticks.look() for _ in range(3)] == [set()] * 3


def test_images_made_again_while_the_run_went_on_count_once_it_is_terminated(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    run = ticks.launch(*BOTH)
    assert ticks.look() == set()
    ticks.make(images)
    assert ticks.look() == set()
    ticks.terminate(run)
    assert ticks.look() == set()  # it rests for a tick
    assert ticks.look() == BOTH


def test_a_run_that_ends_while_dagster_looks_is_not_taken_for_one_that_made_nothing(ticks: Ticks) -> None:
    """Dagster may read what was made before a run's end, and what is in progress after it."""
    assert ticks.look() == BOTH
    run = ticks.launch(*BOTH)
    assert ticks.look() == set()
    ticks.make(images)
    ticks.terminate(run)  # so it looks in this tick: nothing was made, and nothing is in progress
    assert ticks.look() == set()
    ticks.make(questions, traces)
    assert [ticks.look() for _ in range(3)] == [set()] * 3


def test_what_a_person_launched_and_terminated_is_not_asked_for(ticks: Ticks) -> None:
    run = ticks.launch(*BOTH)
    assert ticks.look() == set()
    ticks.terminate(run)
    assert [ticks.look() for _ in range(3)] == [set()] * 3


def test_the_rest_of_a_chain_follows_what_a_person_made_by_hand(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    ticks.terminate(ticks.launch(*BOTH))
    assert ticks.look() == set()
    ticks.make(questions)
    assert ticks.look() == set()
    assert ticks.look() == {"traces"}
    assert ticks.look() == set()


def test_what_failed_is_asked_for_again_when_what_is_above_was_made_again(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    run = ticks.launch(*BOTH)
    assert ticks.look() == set()
    ticks.fail(run)
    assert [ticks.look() for _ in range(2)] == [set()] * 2
    ticks.make(images)
    assert ticks.look() == BOTH


def test_what_was_made_is_asked_for_again_only_when_it_is_gone(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    ticks.make(questions, traces)
    assert ticks.look() == set()
    ticks.make(images)
    assert ticks.look() == set()
    ticks.instance.wipe_assets([AssetKey("traces")])
    assert ticks.look() == {"traces"}


def test_a_new_shard_is_asked_for_while_another_waits(ticks: Ticks) -> None:
    assert ticks.look() == BOTH
    ticks.instance.add_dynamic_partitions(str(SHARDS.name), ["mine-00001"])
    assert ticks.look() == set()
    assert dg.materialize([images], instance=ticks.instance, partition_key="mine-00001").success
    assert ticks.look() == BOTH
    assert ticks.look() == set()
