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


@dg.asset(
    deps=list(RELEASE_TABLES), group_name="release", kinds={"deltalake", "parquet"}, owners=["team:data"],
    code_version=TRANSFORM, metadata={"dagster/column_schema": column_schema("release")},
)  # fmt: skip
def release(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
    """One parquet per config and split with a dataset card, and a row that pins every input's Delta version."""
    store = tables.store()
    inputs = [{"table": table, "version": store.version(table)} for table in RELEASE_TABLES]
    _require_all_shards(context.instance, store)
    provenance = {"profile": models.profile.name, "inputs": inputs}
    rows = {item["table"]: store.scan(item["table"], version=item["version"]) for item in inputs}
    root = state_folder() / "releases"
    release_id, files = write_release(root, rows, title="Long Grounded Thoughts", provenance=provenance)
    uri = str(root / release_id)
    row = {"release_id": release_id, "uri": uri, "code_version": TRANSFORM, "inputs": inputs, "files": files}
    if not store.read("release").filter(pl.col("release_id") == release_id).height:
        store.append("release", frame("release", [row]))
    return dg.MaterializeResult(
        metadata={"dagster/uri": uri, "release_id": release_id}
        | {f"rows/{file['config']}/{file['split']}": file["rows"] for file in files}
    )


def _require_all_shards(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    """Every shard of the images must be whole in every table that the release reads."""
    problems = []
    for shard in store.shards("images"):
        for table in RELEASE_TABLES:
            try:
                read_upstream(instance, store, table, shard)
            except UpstreamError as error:
                problems.append(str(error))
    if problems:
        raise dg.Failure(
            f"release: {len(problems)} shards are not ready: {'; '.join(problems[:10])}", allow_retries=False
        )
