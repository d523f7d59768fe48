"""Blocking checks of every partitioned table, from one table of declarations; each shard gets its own evaluation."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from lgt_assets.errors import ValidationError
from lgt_assets.partitions import SHARDS
from lgt_assets.resources import Tables
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import BLOCKING_CHECKS, REFERENCES, orphans, validate

EXAMPLES = 5
DESCRIPTIONS = {
    "schema": "Rows as stored satisfy the table's pandera model: types, keys, ranges.",
    "parents": "Every id a row names exists in the same shard of the table it points to.",
}


def schema_problem(store: DeltaStore, table: str, shard: str) -> str:
    """What the table's model finds wrong with the stored shard; empty when nothing is."""
    try:
        validate(table, store.read(table, shards=[shard]))
    except ValidationError as error:
        return str(error)
    return ""


def parents_problem(store: DeltaStore, table: str, shard: str) -> str:
    """Ids in the stored shard whose row does not exist; empty when there are none."""
    rows = store.scan(table, shards=[shard])
    problems = []
    for reference in REFERENCES[table]:
        missing = orphans(rows, reference, [store.scan(name, shards=[shard]) for name in reference.tables])
        if missing.len():
            problems.append(
                f"{reference.column}: {missing.len()} not in {' or '.join(reference.tables)}: "
                f"{missing.head(EXAMPLES).to_list()}"
            )
    return "; ".join(problems)


PROBLEMS = {"schema": schema_problem, "parents": parents_problem}


def table_checks(table: str) -> dg.AssetChecksDefinition:
    """The blocking checks of ``table`` as one definition."""
    key = dg.AssetKey(table)
    specs = [
        dg.AssetCheckSpec(name, asset=key, description=DESCRIPTIONS[name], blocking=True, partitions_def=SHARDS)
        for name in BLOCKING_CHECKS
    ]

    @dg.multi_asset_check(name=f"{table}_checks", specs=specs)
    def run(context: dg.AssetCheckExecutionContext, tables: Tables) -> Iterator[dg.AssetCheckResult]:
        store = tables.store()
        partitioned = context.has_partition_key or context.has_partition_key_range
        shards = list(context.partition_keys) if partitioned else store.shards(table)
        for name in BLOCKING_CHECKS:
            problems = {shard: PROBLEMS[name](store, table, shard) for shard in shards}
            failed = {shard: problem for shard, problem in problems.items() if problem}
            if not context.has_partition_key:
                for shard, problem in problems.items():
                    context.op_execution_context.log_event(
                        shard_evaluation(context.instance, key, name, shard, problem)
                    )
            yield dg.AssetCheckResult(
                asset_key=key, check_name=name, passed=not failed,
                metadata={"shards": len(problems), "failed": dg.MetadataValue.json(failed)},
                description="; ".join(f"{shard}: {problem}" for shard, problem in failed.items())[:2000] or None,
            )  # fmt: skip

    return run


def shard_evaluation(
    instance: dg.DagsterInstance, key: dg.AssetKey, name: str, shard: str, problem: str
) -> dg.AssetCheckEvaluation:
    """One shard's evaluation, to be logged by the run itself: a run over a range records only one for all of them.

    Without the materialization it is about, a shard's status would stay empty; reported outside a run, the second
    evaluation of a shard breaks a unique key of the event log.
    """
    filter_ = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[shard])
    records = instance.fetch_materializations(filter_, limit=1).records
    target = None
    if records:
        record = records[0]
        target = AssetCheckEvaluationTargetMaterializationData(
            run_id=record.run_id, storage_id=record.storage_id, timestamp=record.timestamp
        )
    return dg.AssetCheckEvaluation(
        asset_key=key, check_name=name, passed=not problem, metadata={"problem": problem} if problem else {},
        target_materialization_data=target, partition=shard, blocking=True,
    )  # fmt: skip


CHECKS = [table_checks(table) for table in REFERENCES]
