"""The gate: an asset reads a shard of another only if it was materialized, passed its blocking checks, and is whole."""

import dagster as dg
import polars as pl
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from lgt_assets.errors import UpstreamError, ValidationError
from lgt_assets.storage import DeltaStore
from lgt_assets.validation import BLOCKING_CHECKS, validate

ROW_COUNT = "dagster/partition_row_count"
FAILED = (AssetCheckExecutionRecordStatus.FAILED,)


def _mend(table: str, shard: str) -> str:
    return f"materialize {table} for {shard} again (lgt run --select {table} --shards {shard}), then this asset"


def _recorded_rows(instance: dg.DagsterInstance, table: str, shard: str) -> int | float:
    filter_ = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[shard])
    records = instance.fetch_materializations(filter_, limit=1).records
    if not records or records[0].asset_materialization is None:
        raise UpstreamError(f"{table} has no shard {shard}: {_mend(table, shard)}")
    return records[0].asset_materialization.metadata[ROW_COUNT].value


def _require_checks_passed(instance: dg.DagsterInstance, table: str, shard: str) -> None:
    keys = [dg.AssetCheckKey(dg.AssetKey(table), name) for name in BLOCKING_CHECKS]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys, PartitionKeyFilter(key=shard))
    failed = sorted(key.name for key, record in latest.items() if record.status in FAILED)
    if failed:
        raise UpstreamError(
            f"{table}, shard {shard}, failed its blocking checks ({', '.join(failed)}): {_mend(table, shard)}"
        )


def read_upstream(instance: dg.DagsterInstance, store: DeltaStore, table: str, shard: str) -> pl.DataFrame:
    """The rows of ``table`` in ``shard``, checked anew: blocking checks gate only the run they were made in.

    Raises:
        UpstreamError: the shard was never materialized, failed a blocking check, lost rows, or holds bad ones.
    """
    expected = _recorded_rows(instance, table, shard)
    _require_checks_passed(instance, table, shard)
    rows = store.read(table, shards=[shard])
    if rows.height != expected:
        raise UpstreamError(
            f"{table}, shard {shard}, has {rows.height} rows where its materialization wrote {expected}: {_mend(table, shard)}"
        )
    try:
        validate(table, rows)
    except ValidationError as error:
        raise UpstreamError(f"{error}; {_mend(table, shard)}") from error
    return rows
