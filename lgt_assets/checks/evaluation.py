"""One evaluation of one check for one shard, as Dagster's event log holds it."""

from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from lgt_assets.checks.declarations import Check
from lgt_assets.quality.findings import Finding

EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
# Evaluations of the present materialization that may lie before one of an earlier one.
HISTORY = 20


def severity_of(check: Check) -> dg.AssetCheckSeverity:
    """ERROR for a check that closes the gate, WARN for one that only tells."""
    return dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN


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
        asset_key=dg.AssetKey(table), check_name=check.name, passed=finding.passed, metadata=dict(finding.numbers),
        target_materialization_data=target, partition=shard, blocking=check.blocking, severity=severity_of(check),
        description=finding.said,
    )  # fmt: skip


def previous_numbers(
    instance: dg.DagsterInstance, check: Check, table: str, shard: str, made: dg.EventLogRecord | None
) -> Mapping[str, object]:
    """What the check measured of the shard as it was made the time before; empty if it was not, or if nobody compares."""
    if not check.compares:
        return {}
    key = dg.AssetCheckKey(dg.AssetKey(table), check.name)
    history = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=HISTORY, status=EVALUATED, partition_filter=PartitionKeyFilter(key=shard)
    )
    for record in history:
        evaluation = _evaluation(record)
        if evaluation is None:
            continue
        target = evaluation.target_materialization_data
        if made is None or target is None or target.storage_id != made.storage_id:
            return {name: value.value for name, value in evaluation.metadata.items()}
    return {}


def failed_checks(instance: dg.DagsterInstance, checks: list[Check], table: str, shard: str) -> dict[str, str]:
    """Blocking checks whose last evaluation of the shard failed, with what it said; one that was only planned does not count."""
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
                failed[key.name] = (evaluation.description if evaluation else None) or ""
    return failed


def _evaluation(record: AssetCheckExecutionRecord) -> dg.AssetCheckEvaluation | None:
    event = record.event.dagster_event if record.event else None
    data = event.event_specific_data if event else None
    return data if isinstance(data, dg.AssetCheckEvaluation) else None
