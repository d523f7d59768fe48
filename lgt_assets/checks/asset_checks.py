"""The checks of one table as one step: every shard is evaluated by itself, also in a run over a range of them."""

from collections.abc import Iterator

import dagster as dg

from lgt_assets.assets.run_scope import CHECKS_STEP, is_read_in, shards_not_made
from lgt_assets.checks.declarations import DECLARATIONS, Check, checks_of
from lgt_assets.checks.evaluation import (
    description_of,
    latest_materialization,
    metadata_of,
    previous_numbers,
    severity_of,
    shard_evaluation,
)
from lgt_assets.partitions import SHARDS
from lgt_assets.quality.findings import Finding, Slice
from lgt_assets.quality.verified import files_of, note_verified
from lgt_assets.resources import Models, Tables
from lgt_assets.settings import Profile
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import BLOCKING_CHECKS

SHOWN_SHARDS = 10
Findings = dict[str, Finding]


def table_checks(table: str) -> dg.AssetChecksDefinition:
    """The checks of ``table`` as one definition."""
    key, checks = dg.AssetKey(table), checks_of(table)
    specs = [
        dg.AssetCheckSpec(
            check.name, asset=key, description=check.description, blocking=check.blocking, partitions_def=SHARDS
        )
        for check in checks
    ]

    @dg.multi_asset_check(name=f"{table}{CHECKS_STEP}", specs=specs, can_subset=True)
    def run(context: dg.AssetCheckExecutionContext, tables: Tables, models: Models) -> Iterator[dg.AssetCheckResult]:
        chosen = {selected.name for selected in context.selected_asset_check_keys}
        yield from evaluate(context, tables.store(), models.profile, table, [c for c in checks if c.name in chosen])

    return run


def evaluate(
    context: dg.AssetCheckExecutionContext, store: DeltaStore, profile: Profile, table: str, checks: list[Check]
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate ``checks`` of every shard of the run, and record each; shards that the run did not make have nothing to judge.

    What only warns is measured of shards that no blocking check refused before: bad rows have no rates.
    A run over a range goes on below the shards that passed: the gate refuses the others one by one, and the last steps fail.

    Raises:
        dagster.Failure: a shard failed a blocking check or was not made, and nothing in this run is left to be made from the
            others.
    """
    instance, scope = context.instance, context.op_execution_context
    partitioned = context.has_partition_key or context.has_partition_key_range
    shards = list(context.partition_keys) if partitioned else store.shards(table)
    made = {shard: latest_materialization(instance, table, shard) for shard in shards}
    not_made = shards_not_made(scope, table, made) if partitioned else {}
    judged = [shard for shard in shards if shard not in not_made]
    files = {shard: files_of(store, table, shard) for shard in judged}
    refused, is_last = dict(not_made), not is_read_in(scope, table)
    if shards and not judged:
        raise _failure(table, refused, len(shards))
    for check in checks:
        chosen = judged if check.blocking else [shard for shard in judged if shard not in refused]
        if shards and not chosen:
            continue  # all were refused: the step fails below
        findings = {
            shard: check.measure(
                Slice(store, table, shard, profile, previous_numbers(instance, check, table, shard, made[shard]))
            )
            for shard in chosen
        }
        failed = {shard: finding for shard, finding in findings.items() if not finding.passed}
        if check.blocking:
            refused |= {shard: f"{table}, shard {shard}: {check.name}: {f.said}" for shard, f in failed.items()}
        if context.has_partition_key:
            yield _one_shard(table, check, findings[chosen[0]])
            continue
        for shard, finding in findings.items():
            scope.log_event(shard_evaluation(check, table, shard, finding, made[shard]))
        yield _all_shards(
            table, check, findings, len(judged), len(not_made), goes_on=not is_last and len(refused) < len(shards)
        )
    if {check.name for check in checks} >= set(BLOCKING_CHECKS):
        for shard in judged:
            if shard not in refused:
                note_verified(store, table, shard, files[shard])
    if refused and (is_last or len(refused) == len(shards)):
        raise _failure(table, refused, len(shards))


def _failure(table: str, refused: dict[str, str], shards: int) -> dg.Failure:
    count = f"{len(refused)} of {shards} shards may not be used"
    return dg.Failure(f"{table}: {count}: {_listed(refused)}", allow_retries=False)


def _one_shard(table: str, check: Check, finding: Finding) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(table), check_name=check.name, passed=finding.passed, severity=severity_of(check),
        metadata=metadata_of(finding.said, finding.numbers), description=description_of(finding.said),
    )  # fmt: skip


def _all_shards(
    table: str, check: Check, findings: Findings, made: int, not_made: int, *, goes_on: bool
) -> dg.AssetCheckResult:
    """The one evaluation that Dagster wants of a run over a range. It closes no gate while shards are left that passed."""
    failed = {shard: finding.said for shard, finding in findings.items() if not finding.passed}
    count = f"{len(findings) - len(failed)} of {len(findings)} shards passed"
    said = f"{count}; failed: {_listed(failed)}" if failed else count
    said += f"; refused by a blocking check: {made - len(findings)}" if len(findings) < made else ""
    said += f"; not made: {not_made}" if not_made else ""
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(table), check_name=check.name, passed=not failed, description=description_of(said),
        severity=dg.AssetCheckSeverity.WARN if goes_on else severity_of(check),
        metadata=metadata_of(said, {"shards": len(findings), "failed": len(failed), "not_made": not_made}),
    )  # fmt: skip


def _listed(messages: dict[str, str]) -> str:
    shown = [f"{shard}: {said}" if shard not in said else said for shard, said in list(messages.items())[:SHOWN_SHARDS]]
    return "; ".join(shown) + (f"; and {len(messages) - SHOWN_SHARDS} more" if len(messages) > SHOWN_SHARDS else "")


CHECKS = [table_checks(table) for table in dict.fromkeys(name for check in DECLARATIONS for name in check.tables)]
