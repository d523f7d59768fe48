"""The event that says that a shard was made, with versions of what it was made from: for each shard its own, as it is made.

Dagster itself records a materialization for every shard of a run's range, once the step has ended, whatever the step made of
it; and for all of them the versions of the whole range.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    extract_data_version_from_entry,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from lgt_assets.checks.evaluation import latest_materialization


def input_versions(instance: dg.DagsterInstance, upstream: Sequence[str], shard: str) -> dict[str, str]:
    """Tags that name the present version of a shard in the tables that another is made from: to be asked before they are read.

    Rows that are written anew while the asset is made are then newer than what it notes, and mark it as stale.
    """
    tags = {}
    for name in upstream:
        key, record = dg.AssetKey(name), latest_materialization(instance, name, shard)
        version = extract_data_version_from_entry(record.event_log_entry) if record else None
        tags[get_input_data_version_tag(key)] = (version or DEFAULT_DATA_VERSION).value
        tags[get_input_event_pointer_tag(key)] = str(record.storage_id) if record else NULL_EVENT_POINTER
    return tags


def shard_materialization(
    table: str, shard: str, *, inputs: Mapping[str, str], code_version: str, data_version: str, metadata: Mapping[str, object]
) -> dg.AssetMaterialization:  # fmt: skip
    """The materialization of one shard.

    Args:
        inputs: of :func:`input_versions`.
        data_version: changes if and only if the stored rows do: what reads them is stale only then.
    """
    tags = {CODE_VERSION_TAG: code_version, DATA_VERSION_TAG: data_version, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"}
    return dg.AssetMaterialization(asset_key=table, partition=shard, metadata=dict(metadata), tags=tags | dict(inputs))


def step_result(uri: str) -> dg.MaterializeResult:
    """The result of a step that has recorded its shards itself: steps below may start, and Dagster adds no event.

    The mark is Dagster's own, for observations that record themselves.
    """
    return dg.MaterializeResult(metadata={"dagster/uri": uri, SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True})
