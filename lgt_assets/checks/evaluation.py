"""One evaluation of one check for one shard, as Dagster's event log holds it."""

from collections.abc import Iterator, Mapping

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from lgt_assets.checks.declarations import Check
from lgt_assets.markdown import plain_text
from lgt_assets.quality.findings import Finding, Number

EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
# Evaluations that are read at a time, and how many times at most, to find one of an earlier materialization.
HISTORY, MOST_READS = 20, 500
SAID = "said"
SHOWN_CHARACTERS = 2000


def severity_of(check: Check) -> dg.AssetCheckSeverity:
    """ERROR for a check that closes the gate, WARN for one that only tells."""
    return dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN


def description_of(said: str) -> str:
    """What a check found, for Dagit, which renders descriptions as Markdown: rows that a model wrote are quoted in it."""
    return plain_text(said, SHOWN_CHARACTERS)


def metadata_of(said: str, numbers: Mapping[str, Number]) -> dict[str, Number | dg.MetadataValue]:
    """What was measured, and what was found as it was said; Dagit shows a text of the metadata as it is."""
    return dict(numbers) | {SAID: dg.MetadataValue.text(said)}


def latest_materialization(instance: dg.DagsterInstance, table: str, shard: str) -> dg.EventLogRecord | None:
    """The event that says that the shard was made; None if it never was."""
    filter_ = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[shard])
    records = instance.fetch_materializations(filter_, limit=1).records
    return records[0] if records else None


def shard_evaluation(
    check: Check, table: str, shard: str, finding: Finding, made: dg.EventLogRecord | None
) -> dg.AssetCheckEvaluation:
    """One shard's evaluation, to be logged by the run itself: a run over a range records only one for all of them.

    Without ``made``, the materialization it is about, a shard's status would stay empty; reported outside a run, the second
    evaluation of a shard breaks a unique key of the event log.
    """
    target = None
    if made is not None:
        target = AssetCheckEvaluationTargetMaterializationData(
            run_id=made.run_id, storage_id=made.storage_id, timestamp=made.timestamp
        )
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(table), check_name=check.name, passed=finding.passed,
        metadata=metadata_of(finding.said, finding.numbers), target_materialization_data=target, partition=shard,
        blocking=check.blocking, severity=severity_of(check), description=description_of(finding.said),
    )  # fmt: skip


def previous_numbers(
    instance: dg.DagsterInstance, check: Check, table: str, shard: str, made: dg.EventLogRecord | None
) -> Mapping[str, object]:
    """What the check measured of the shard as it was made the time before; empty if it was not, or if nobody compares."""
    if not check.compares:
        return {}
    key = dg.AssetCheckKey(dg.AssetKey(table), check.name)
    for record in _history(instance, key, shard):
        evaluation = _evaluation(record)
        if evaluation is None:
            continue
        target = evaluation.target_materialization_data
        if made is None or target is None or target.storage_id != made.storage_id:
            return {name: value.value for name, value in evaluation.metadata.items() if name != SAID}
    return {}


def _history(instance: dg.DagsterInstance, key: dg.AssetCheckKey, shard: str) -> Iterator[AssetCheckExecutionRecord]:
    """Evaluations of a shard, the latest first."""
    cursor = None
    for _read in range(MOST_READS):
        records = instance.event_log_storage.get_asset_check_execution_history(
            key, HISTORY, cursor=cursor, status=EVALUATED, partition_filter=PartitionKeyFilter(key=shard)
        )
        yield from records
        if len(records) < HISTORY:
            return
        cursor = records[-1].id


def failed_checks(instance: dg.DagsterInstance, checks: list[Check], table: str, shard: str) -> dict[str, str]:
    """Blocking checks whose last evaluation of the shard failed, with what it said.

    One that was only planned does not count, nor one of rows that were made anew since.
    """
    keys, of_shard = (
        [dg.AssetCheckKey(dg.AssetKey(table), check.name) for check in checks],
        PartitionKeyFilter(key=shard),
    )
    storage, failed = instance.event_log_storage, {}
    for key, latest in storage.get_latest_asset_check_execution_by_key(keys, of_shard).items():
        records = [latest]
        if latest.status not in EVALUATED:
            records = storage.get_asset_check_execution_history(key, 1, status=EVALUATED, partition_filter=of_shard)
        for record in records:
            if record.status == AssetCheckExecutionRecordStatus.FAILED:
                evaluation = _evaluation(record)
                if not _is_outdated(evaluation, latest_materialization(instance, table, shard)):
                    failed[key.name] = _said(evaluation)
    return failed


def _is_outdated(evaluation: dg.AssetCheckEvaluation | None, made: dg.EventLogRecord | None) -> bool:
    target = evaluation.target_materialization_data if evaluation else None
    return made is not None and target is not None and target.storage_id != made.storage_id


def _said(evaluation: dg.AssetCheckEvaluation | None) -> str:
    if evaluation is None:
        return ""
    said = evaluation.metadata.get(SAID)
    return str(said.value) if said is not None else evaluation.description or ""


def _evaluation(record: AssetCheckExecutionRecord) -> dg.AssetCheckEvaluation | None:
    event = record.event.dagster_event if record.event else None
    data = event.event_specific_data if event else None
    return data if isinstance(data, dg.AssetCheckEvaluation) else None
