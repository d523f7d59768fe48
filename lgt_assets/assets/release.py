"""The release: all shards as files for trainers, with the table versions they were made of."""

import dagster as dg

from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.upstream import require_whole
from lgt_assets.errors import LgtError, UpstreamError
from lgt_assets.observe.columns import column_metadata
from lgt_assets.release.configs import RELEASE_TABLES
from lgt_assets.resources import Models, Tables
from lgt_assets.settings import state_folder
from lgt_assets.storage import DeltaStore

TRANSFORM = "3"
SHOWN_PROBLEMS = 10


@dg.asset(
    deps=list(RELEASE_TABLES), group_name="release", kinds={"deltalake", "parquet"}, owners=["team:data"],
    code_version=TRANSFORM, metadata=column_metadata("release"), tags={"lgt/made-by": "code"},
)  # fmt: skip
def release(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
    """Which rows are released, and the Delta version of every table they are read from: `lgt export` writes them for trainers.

    A shard is in the release when every table it reads has been materialized for it; shards still on their way are
    named in the metadata. A shard that is there but bad fails the release. What listed benchmarks hold, questions asked too
    often, and texts that trainers would misread are left out and counted by reason (`release:` in the profile).
    """
    from lgt_assets.assets.release_making import inputs_of, kept_release, require_unchanged
    from lgt_assets.observe.release import release_metadata

    store, profile = tables.store(), models.profile
    ready, left_out = shards_to_release(context.instance)
    versions = inputs_of(store)
    _require_whole(context.instance, store, ready)
    try:
        require_unchanged(store, versions, ready)
        root = state_folder() / "releases"
        kept = kept_release(store, profile, ready, root=root, code_version=TRANSFORM, versions=versions)
    except LgtError as error:
        raise dg.Failure(f"release: {error}", allow_retries=False) from error
    metadata = {
        "dagster/uri": kept.row["uri"], "shards": len(ready), "shards_left_out": dg.MetadataValue.json(left_out),
    }  # fmt: skip
    return dg.MaterializeResult(metadata=metadata | release_metadata(kept.card))


def shards_to_release(instance: dg.DagsterInstance) -> tuple[list[str], list[str]]:
    """Shards materialized in every table that the release reads, and those that some table still lacks; both sorted.

    Raises:
        dagster.Failure: there is none of the former.
    """
    made = [instance.get_materialized_partitions(dg.AssetKey(table)) for table in RELEASE_TABLES]
    ready, some = set.intersection(*made), set.union(*made)
    if not ready:
        raise dg.Failure(
            f"release: no shard is materialized in all of {', '.join(RELEASE_TABLES)}: run `lgt run` first",
            allow_retries=False,
        )
    return sorted(ready), sorted(some - ready)


def _require_whole(instance: dg.DagsterInstance, store: DeltaStore, shards: list[str]) -> None:
    """Every shard must pass the gate of every table that the release reads or that its rows were made from."""
    problems = []
    for shard in shards:
        for table in STAGES:
            try:
                require_whole(instance, store, table, shard)
            except UpstreamError as error:
                problems.append(str(error))
    if problems:
        shown = "; ".join(problems[:SHOWN_PROBLEMS])
        raise dg.Failure(f"release: {len(problems)} slices are not whole: {shown}", allow_retries=False)
