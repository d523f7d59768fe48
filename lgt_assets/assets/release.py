"""The release: all shards as files for trainers, with the table versions they were made of."""

import dagster as dg
import polars as pl

from lgt_assets.assets.upstream import read_upstream
from lgt_assets.errors import UpstreamError
from lgt_assets.observe import column_schema
from lgt_assets.release.configs import RELEASE_TABLES
from lgt_assets.release.files import write_release
from lgt_assets.resources import Models, Tables
from lgt_assets.schemas import frame
from lgt_assets.settings import state_folder
from lgt_assets.storage import DeltaStore

TRANSFORM = "1"
SHOWN_PROBLEMS = 10


@dg.asset(
    deps=list(RELEASE_TABLES), group_name="release", kinds={"deltalake", "parquet"}, owners=["team:data"],
    code_version=TRANSFORM, metadata={"dagster/column_schema": column_schema("release")},
)  # fmt: skip
def release(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
    """One parquet per config and split with a dataset card, and a row that pins every input's Delta version.

    A shard is in the release when every table it reads has been materialized for it; shards still on their way are
    named in the metadata and the card. A shard that is there but bad fails the release.
    """
    store = tables.store()
    inputs = [{"table": table, "version": store.version(table)} for table in RELEASE_TABLES]
    ready, left_out = shards_to_release(context.instance)
    _require_whole(context.instance, store, ready)
    facts = {"profile": models.profile.name, "inputs": inputs, "shards": ready, "shards_left_out": left_out}
    rows = {item["table"]: store.scan(item["table"], shards=ready, version=item["version"]) for item in inputs}
    root = state_folder() / "releases"
    release_id, files = write_release(root, rows, title="Long Grounded Thoughts", provenance=facts)
    uri = str(root / release_id)
    row = {"release_id": release_id, "uri": uri, "code_version": TRANSFORM, "inputs": inputs, "files": files}
    if not store.read("release").filter(pl.col("release_id") == release_id).height:
        store.append("release", frame("release", [row]))
    return dg.MaterializeResult(
        metadata={"dagster/uri": uri, "release_id": release_id, "shards": len(ready)}
        | {"shards_left_out": dg.MetadataValue.json(left_out)}
        | {f"rows/{file['config']}/{file['split']}": file["rows"] for file in files}
    )


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
    """Every shard must pass the gate of every table that the release reads."""
    problems = []
    for shard in shards:
        for table in RELEASE_TABLES:
            try:
                read_upstream(instance, store, table, shard)
            except UpstreamError as error:
                problems.append(str(error))
    if problems:
        shown = "; ".join(problems[:SHOWN_PROBLEMS])
        raise dg.Failure(f"release: {len(problems)} slices are not whole: {shown}", allow_retries=False)
