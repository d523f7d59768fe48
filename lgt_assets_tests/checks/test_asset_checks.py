"""Evaluations of shards in real runs: severities, numbers, what a run over a range goes on with, what is compared."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events import DagsterEventType

from lgt_assets import runs
from lgt_assets.checks.declarations import DECLARATIONS, checks_of
from lgt_assets.checks.evaluation import (
    EVALUATED,
    HISTORY,
    SAID,
    latest_materialization,
    previous_numbers,
    shard_evaluation,
)
from lgt_assets.definitions import defs
from lgt_assets.quality.findings import Finding
from lgt_assets.resources import Tables
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import BLOCKING_CHECKS, REFERENCES
from lgt_assets_tests.made_tables import made_rows, write_made_tables
from lgt_assets_tests.registered import SHARDS, SOURCES, poison, registered_instance
from lgt_assets_tests.rows import SHARD


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    yield from registered_instance(tmp_path, monkeypatch)


@pytest.fixture
def store(instance: dg.DagsterInstance) -> DeltaStore:
    return Tables().store()


def evaluation(instance: dg.DagsterInstance, table: str, name: str, shard: str | None) -> dg.AssetCheckEvaluation:
    """The latest one, as the event log holds it."""
    key = dg.AssetCheckKey(dg.AssetKey(table), name)
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key], PartitionKeyFilter(key=shard))
    return latest[key].event.dagster_event.event_specific_data


def execute(
    instance: dg.DagsterInstance, selection: dg.AssetSelection, first: str, last: str
) -> dg.ExecuteInProcessResult:
    job = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=defs.resources, executor=defs.executor,
        jobs=[dg.define_asset_job("chosen", selection=selection)],
    ).resolve_job_def("chosen")  # fmt: skip
    tags = {runs.RANGE_START: first, runs.RANGE_END: last}
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=runs.QUIET)


def checks_of_images() -> dg.AssetSelection:
    return dg.AssetSelection.checks(
        *[dg.AssetCheckKey(dg.AssetKey("images"), check.name) for check in checks_of("images")]
    )


def test_every_table_has_the_blocking_checks_and_each_says_what_it_is() -> None:
    for table in REFERENCES:
        assert {check.name for check in checks_of(table) if check.blocking} == set(BLOCKING_CHECKS)
    assert all(check.description for check in DECLARATIONS)
    assert len({check.name for check in DECLARATIONS}) == len(DECLARATIONS)


def test_each_shard_has_its_severity_description_and_numbers(instance: dg.DagsterInstance) -> None:
    assert runs.run(instance, selection=SOURCES).failures == []
    for shard in SHARDS:
        schema = evaluation(instance, "images", "schema", shard)
        assert (schema.passed, schema.severity, schema.blocking) == (True, dg.AssetCheckSeverity.ERROR, True)
        assert schema.metadata["rows"].value == 2
        made = latest_materialization(instance, "images", shard)
        assert schema.target_materialization_data.storage_id == made.storage_id
        acceptance = evaluation(instance, "images", "acceptance", shard)
        assert (acceptance.passed, acceptance.severity, acceptance.blocking) == (
            True,
            dg.AssetCheckSeverity.WARN,
            False,
        )
        assert acceptance.metadata["judged"].value == "too few to judge"


def test_a_range_goes_on_below_the_shards_that_passed(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert runs.run(instance, selection="images").failures == []
    poison(store, SHARDS[1])
    both = checks_of_images() | dg.AssetSelection.assets("grounded_objects")
    result = execute(instance, both, SHARDS[0], SHARDS[2])
    assert not result.success
    assert store.shards("grounded_objects") == [SHARDS[0], SHARDS[2]]
    assert instance.get_materialized_partitions(dg.AssetKey("grounded_objects")) == {SHARDS[0], SHARDS[2]}
    of_all = evaluation(instance, "images", "schema", None)
    assert (of_all.passed, of_all.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert SHARDS[1] in of_all.description
    of_one = evaluation(instance, "images", "schema", SHARDS[1])
    assert (of_one.passed, of_one.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert evaluation(instance, "grounded_objects", "keys", SHARDS[2]).passed
    [failure] = [event for event in result.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert failure.step_key == "grounded_objects_checks"
    assert "caption breaks" in said and f"lgt run --select images --shards {SHARDS[1]}" in said


def test_without_its_checks_the_asset_itself_fails_the_run(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert runs.run(instance, selection="images").failures == []
    poison(store, SHARDS[1])
    alone = dg.AssetSelection.assets("grounded_objects").without_checks()
    result = execute(instance, alone, SHARDS[0], SHARDS[2])
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "grounded_objects"
    assert f"lgt run --select images --shards {SHARDS[1]}" in failure.step_failure_data.user_failure_data.description
    assert instance.get_materialized_partitions(dg.AssetKey("grounded_objects")) == {SHARDS[0], SHARDS[2]}


def test_the_last_checks_of_a_run_fail_it(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert runs.run(instance, selection="images").failures == []
    poison(store, SHARDS[1])
    for first, last in ((SHARDS[0], SHARDS[2]), (SHARDS[1], SHARDS[1])):
        result = execute(instance, checks_of_images(), first, last)
        assert not result.success
        [failure] = [event for event in result.all_events if event.is_step_failure]
        assert (
            f"{SHARDS[1]}: schema: table images: caption breaks"
            in failure.step_failure_data.user_failure_data.description
        )
    assert evaluation(instance, "images", "schema", SHARDS[0]).passed


def test_a_shard_that_no_run_made_is_not_judged(instance: dg.DagsterInstance) -> None:
    assert runs.run(instance, selection="images", shards=SHARDS[0]).failures == []
    result = execute(instance, checks_of_images(), SHARDS[0], SHARDS[1])
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert f"images has no shard {SHARDS[1]}" in failure.step_failure_data.user_failure_data.description
    assert evaluation(instance, "images", "schema", SHARDS[0]).passed


def evaluated_shards(instance: dg.DagsterInstance, table: str, name: str) -> set[str | None]:
    """Shards of which an outcome is recorded; None stands for all shards of a run over a range."""
    key = dg.AssetCheckKey(dg.AssetKey(table), name)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100, status=EVALUATED)
    return {record.event.dagster_event.event_specific_data.partition for record in history}


def test_a_single_shard_that_no_run_made_has_no_outcome(instance: dg.DagsterInstance) -> None:
    job = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=defs.resources, executor=defs.executor,
        jobs=[dg.define_asset_job("chosen", selection=checks_of_images())],
    ).resolve_job_def("chosen")  # fmt: skip
    tags = {"dagster/partition": SHARDS[1]}
    result = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=runs.QUIET)
    [failure] = [event for event in result.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert f"1 of 1 shards may not be used: images has no shard {SHARDS[1]}" in said
    for check in checks_of("images"):
        assert evaluated_shards(instance, "images", check.name) == set()


@pytest.fixture
def evaluate_seed_questions(tmp_path: Path) -> Iterator[Callable[..., dg.DagsterInstance]]:
    """Makes seed questions of the rows given for each shard and runs their checks; only SHARD has their parents."""
    store = write_made_tables(tmp_path)
    checks = [dg.AssetCheckKey(dg.AssetKey("seed_questions"), check.name) for check in checks_of("seed_questions")]
    job = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, executor=defs.executor,
        resources=defs.resources | {"tables": Tables(root=store.root)},
        jobs=[dg.define_asset_job("chosen", selection=dg.AssetSelection.checks(*checks))],
    ).resolve_job_def("chosen")  # fmt: skip
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:

        def run(rows: dict[str, list[dict]]) -> dg.DagsterInstance:
            instance.add_dynamic_partitions("shard", list(rows))
            for shard, different in rows.items():
                whole = [
                    made_rows()["seed_questions"][0] | {"shard": shard, "ordinal": n} | row
                    for n, row in enumerate(different)
                ]
                whole = [row | {"question_id": f"q.{shard}.{n:016x}"} for n, row in enumerate(whole)]
                store.replace("seed_questions", frame("seed_questions", whole), shard=shard)
                instance.report_runless_asset_event(dg.AssetMaterialization("seed_questions", partition=shard))
            tags = {runs.RANGE_START: min(rows), runs.RANGE_END: max(rows)}
            tags = {"dagster/partition": min(rows)} if len(rows) == 1 else tags
            job.execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=runs.QUIET)
            return instance

        yield run


def test_what_a_model_wrote_is_text_in_descriptions(
    evaluate_seed_questions: Callable[..., dg.DagsterInstance],
) -> None:
    picture = "![x](http://evil.example/)"
    rows = [{"question": f"{picture} what?", "question_type": picture} for _ in range(60)]
    for shards, recorded in (([SHARD, SHARD[:-1] + "9"], [SHARD, None]), ([SHARD], [SHARD])):
        instance = evaluate_seed_questions(dict.fromkeys(shards, rows))
        for name, shard in itertools.product(("type_quotas", "duplicates"), recorded):
            found = evaluation(instance, "seed_questions", name, shard)
            assert not found.passed
            assert "![" not in found.description and "](" not in found.description and "://" not in found.description
            assert name == "duplicates" or "evil" in found.metadata[SAID].value
    assert f"q.{SHARD}." in evaluation(instance, "seed_questions", "duplicates", SHARD).metadata[SAID].value


def test_rows_that_broke_a_rule_have_no_rates(evaluate_seed_questions: Callable[..., dg.DagsterInstance]) -> None:
    good, bad = SHARD, SHARD[:-1] + "9"
    instance = evaluate_seed_questions({good: [{}] * 60, bad: [{"answer_index": 9}] * 60})
    assert not evaluation(instance, "seed_questions", "schema", bad).passed
    for check in checks_of("seed_questions"):
        shards = {good, bad, None} if check.blocking else {good, None}
        assert evaluated_shards(instance, "seed_questions", check.name) == shards
    assert "refused by a blocking check: 1" in evaluation(instance, "seed_questions", "duplicates", None).description


def test_lengths_are_compared_with_the_materialization_before_however_often_checks_run(tmp_path: Path) -> None:
    store, check = write_made_tables(tmp_path), next(c for c in checks_of("seed_questions") if c.compares)
    definitions = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, executor=defs.executor,
        resources=defs.resources | {"tables": Tables(root=store.root)},
        jobs=[dg.define_asset_job("drift", selection=dg.AssetSelection.checks(
            dg.AssetCheckKey(dg.AssetKey("seed_questions"), check.name)
        ))],
    )  # fmt: skip
    job = definitions.resolve_job_def("drift")
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        instance.add_dynamic_partitions("shard", [SHARD])

        def make(length: int) -> None:
            rows = [row | {"question": "x" * length} for row in made_rows()["seed_questions"]]
            rows = [rows[0] | {"ordinal": n, "question_id": f"q.{SHARD}.{n:016x}"} for n in range(60)]
            store.replace("seed_questions", frame("seed_questions", rows), shard=SHARD)
            instance.report_runless_asset_event(dg.AssetMaterialization("seed_questions", partition=SHARD))

        def evaluated() -> dg.AssetCheckEvaluation:
            tags = {runs.RANGE_START: SHARD, runs.RANGE_END: SHARD}
            assert job.execute_in_process(instance=instance, tags=tags, run_config=runs.QUIET).success
            return evaluation(instance, "seed_questions", check.name, SHARD)

        make(40)
        assert evaluated().passed
        make(80)
        for repeated in (0, HISTORY + 1):
            made = latest_materialization(instance, "seed_questions", SHARD)
            again = shard_evaluation(check, "seed_questions", SHARD, Finding(True, "again"), made)
            for _time in range(repeated):
                event = dg.DagsterEvent(DagsterEventType.ASSET_CHECK_EVALUATION.value, "", event_specific_data=again)
                instance.report_dagster_event(event, run_id=str(uuid.uuid4()))
            found = evaluated()
            assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
            assert found.metadata["change of question"].value == 1.0
        make(80)
        assert evaluated().passed
        made = latest_materialization(instance, "seed_questions", SHARD)
        assert previous_numbers(instance, check, "seed_questions", SHARD, made)["mean question"] == 80
