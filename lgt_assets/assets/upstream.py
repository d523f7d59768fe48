"""The gate: an asset reads a shard of another only if it was materialized, passed its blocking checks, and is whole."""

import dagster as dg
import polars as pl

from lgt_assets.assets.run_scope import Scope, how_to_mend, tables_made_in, why_not_made
from lgt_assets.checks.declarations import DECLARATIONS
from lgt_assets.checks.evaluation import failed_checks, latest_materialization
from lgt_assets.errors import UpstreamError, ValidationError
from lgt_assets.quality import rules
from lgt_assets.quality.findings import Slice
from lgt_assets.quality.verified import files_of, is_verified, note_verified
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import validate

ROW_COUNT = "dagster/partition_row_count"
BLOCKING = [check for check in DECLARATIONS if check.blocking]
# What the gate measures anew; the model is held against the rows that it hands out.
ANEW = (rules.keys, rules.parents)


def read_upstream(
    instance: dg.DagsterInstance, store: DeltaStore, table: str, shard: str, *, run: Scope | None = None
) -> pl.DataFrame:
    """The rows of ``table`` in ``shard``, checked anew: blocking checks gate only the run they were made in.

    Args:
        run: the run that reads; what it makes itself must be of its own making.

    Raises:
        UpstreamError: the shard was never materialized (or not by ``run``), failed a blocking check, lost rows, or has bad ones.
    """
    expected = _recorded_rows(instance, table, shard, run)
    _require_checks_passed(instance, table, shard)
    files = files_of(store, table, shard)
    rows = store.read(table, shards=[shard])
    _require_count(table, shard, rows.height, expected)
    if not is_verified(store, table, shard, files):
        try:
            validate(table, rows)
        except ValidationError as error:
            raise _refusal(table, shard, str(error)) from error
        _require_rules(store, table, shard)
    _require_same(store, table, shard, files)
    return rows


def require_whole(
    instance: dg.DagsterInstance, store: DeltaStore, table: str, shard: str, *, run: Scope | None = None
) -> None:
    """The same gate for a table further up, whose rows are not wanted: read a batch at a time.

    Raises:
        UpstreamError: as :func:`read_upstream`.
    """
    expected = _recorded_rows(instance, table, shard, run)
    _require_checks_passed(instance, table, shard)
    rows, files = Slice(store, table, shard), files_of(store, table, shard)
    _require_count(table, shard, rows.scan("shard").select(pl.len()).collect().item(), expected)
    if not is_verified(store, table, shard, files):
        found = rules.schema(rows)
        if not found.passed:
            raise _refusal(table, shard, found.said)
        _require_rules(store, table, shard)
    _require_same(store, table, shard, files)


def _refusal(table: str, shard: str, said: str) -> UpstreamError:
    return UpstreamError(f"{table}, shard {shard}: {said}; {how_to_mend(table, shard)}")


def _recorded_rows(instance: dg.DagsterInstance, table: str, shard: str, run: Scope | None) -> int | float:
    record = latest_materialization(instance, table, shard)
    if record is None or record.asset_materialization is None:
        raise UpstreamError(why_not_made(instance, table, shard, run.run.run_id if run else ""))
    if run is not None and table in tables_made_in(run) and record.run_id != run.run.run_id:
        meanwhile = f"{table}, shard {shard}, was last made by another run ({record.run_id}): when it has ended, make this asset"
        raise UpstreamError(why_not_made(instance, table, shard, run.run.run_id, otherwise=meanwhile))
    return record.asset_materialization.metadata[ROW_COUNT].value


def _require_checks_passed(instance: dg.DagsterInstance, table: str, shard: str) -> None:
    failed = failed_checks(instance, BLOCKING, table, shard)
    if failed:
        said = "; ".join(f"{name}: {text}" for name, text in failed.items())
        names = ", ".join(sorted(failed))
        raise UpstreamError(
            f"{table}, shard {shard}, failed its blocking checks ({names}): {said}; {how_to_mend(table, shard)}"
        )


def _require_count(table: str, shard: str, rows: int, expected: int | float) -> None:
    if rows != expected:
        raise UpstreamError(
            f"{table}, shard {shard}, has {rows} rows where its materialization wrote {expected}: {how_to_mend(table, shard)}"
        )


def _require_rules(store: DeltaStore, table: str, shard: str) -> None:
    for rule in ANEW:
        found = rule(Slice(store, table, shard))
        if not found.passed:
            raise _refusal(table, shard, found.said)


def _require_same(store: DeltaStore, table: str, shard: str, files: str) -> None:
    """What was read and what was checked must be the same rows: nothing may have been written in between."""
    if files_of(store, table, shard) != files:
        raise UpstreamError(
            f"{table}, shard {shard}, was written by another run while it was read: make this asset again"
        )
    note_verified(store, table, shard, files)
