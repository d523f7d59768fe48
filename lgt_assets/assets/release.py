"""The release: all shards as files for trainers, with the table versions they were made of."""

import dagster as dg
import polars as pl

from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.upstream import require_whole
from lgt_assets.errors import LgtError, UpstreamError
from lgt_assets.observe.columns import column_metadata
from lgt_assets.release.configs import RELEASE_TABLES, Draw
from lgt_assets.resources import Models, Tables
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile, state_folder
from lgt_assets.storage import DeltaStore

TRANSFORM = "2"
SHOWN_PROBLEMS = 10


@dg.asset(
    deps=list(RELEASE_TABLES), group_name="release", kinds={"deltalake", "parquet"}, owners=["team:data"],
    code_version=TRANSFORM, metadata=column_metadata("release"), tags={"lgt/made-by": "code"},
)  # fmt: skip
def release(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
    """One parquet per config and split with a dataset card, and a row that pins every input's Delta version.

    A shard is in the release when every table it reads has been materialized for it; shards still on their way are
    named in the metadata and the card. A shard that is there but bad fails the release. What listed benchmarks hold, and
    questions asked too often, are left out and counted by reason (`release:` in the profile).
    """
    store, profile = tables.store(), models.profile
    inputs = [{"table": table, "version": store.version(table)} for table in RELEASE_TABLES]
    ready, left_out = shards_to_release(context.instance)
    _require_whole(context.instance, store, ready)
    whole = {item["table"]: store.scan(item["table"], shards=ready, version=item["version"]) for item in inputs}
    facts = {"profile": profile.name, "inputs": inputs, "shards": ready, "shards_left_out": left_out}
    try:
        row, facts = _write(store, profile, whole, ready, facts)
    except LgtError as error:
        raise dg.Failure(f"release: {error}", allow_retries=False) from error
    if not store.read("release").filter(pl.col("release_id") == row["release_id"]).height:
        store.append("release", frame("release", [row]))
    return dg.MaterializeResult(
        metadata={"dagster/uri": row["uri"], "release_id": row["release_id"], "shards": len(ready)}
        | {
            name: dg.MetadataValue.json(facts[name])
            for name in ("shards_left_out", "excluded", "pair_lengths", "audits")
        }
        | {f"rows/{file['config']}/{file['split']}": file["rows"] for file in row["files"]}
    )


def _write(
    store: DeltaStore, profile: Profile, whole: dict[str, pl.LazyFrame], shards: list[str], facts: dict
) -> tuple[dict, dict]:
    """Write the files of what is left after exclusions; the row of ``release``, and the facts with what was counted."""
    from lgt_assets.assets.picture_hashes import hashes_of
    from lgt_assets.audit.scores import audit_summary
    from lgt_assets.release.benchmarks import read_benchmarks
    from lgt_assets.release.exclusions import counted, exclusions, without
    from lgt_assets.release.files import write_release
    from lgt_assets.synthesis.pair_lengths import pair_lengths

    benchmarks = read_benchmarks(profile.release.decontaminate)
    hashes = hashes_of(store, shards if benchmarks.pictures.height else [])
    left_out = exclusions(whole, benchmarks, hashes, profile)
    rows = without(whole, left_out)
    excluded = counted(left_out)
    facts = facts | {
        "excluded": excluded, "pair_lengths": pair_lengths(rows["preference_pairs"]),
        "audits": audit_summary(store.read("audits", shards=shards)),
        "decontaminated_against": [path.name for path in profile.release.decontaminate],
    }  # fmt: skip
    root = state_folder() / "releases"
    draw = Draw(profile.release.sizes, profile.release.seed)
    release_id, files = write_release(root, rows, left_out, draw=draw, title="Long Grounded Thoughts", provenance=facts)
    row = {
        "release_id": release_id, "uri": str(root / release_id), "code_version": TRANSFORM, "inputs": facts["inputs"],
        "files": files, "excluded": excluded,
    }  # fmt: skip
    return row, facts


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
