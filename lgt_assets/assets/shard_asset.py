"""What all partitioned assets share: gate, make, validate, replace, report. An asset is then one short function."""

import inspect
import time
from collections.abc import Callable, Sequence

import dagster as dg

from lgt_assets.assets.shard import Shard
from lgt_assets.assets.upstream import ROW_COUNT, read_upstream
from lgt_assets.errors import EngineError, LgtError, UpstreamError
from lgt_assets.identity import digest
from lgt_assets.observe import column_schema, preview
from lgt_assets.partitions import BACKFILL, SHARDS
from lgt_assets.prompts.templates import prompt_set
from lgt_assets.resources import Models, Tables
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets.synthesis.planned import Outcome
from lgt_assets.validation import validate

Make = Callable[[Shard], Outcome]
OPTIONAL_TEMPLATES = ("direct",)


def code_version(transform: str, templates: Sequence[str]) -> str:
    """Version of an asset's code: its transform's own version and the templates that its rows come from."""
    if not templates:
        return transform
    prompts = prompt_set(load_profile().prompts)
    hashes = [prompts.template_hash(name) for name in templates if prompts.has(name) or name not in OPTIONAL_TEMPLATES]
    return f"{transform}-{digest(hashes)[:12]}"


def shard_asset(
    *, group: str, upstream: Sequence[str] = (), roles: Sequence[str] = (), templates: Sequence[str] = (),
    transform: str = "1", kinds: Sequence[str] = (),
) -> Callable[[Make], dg.AssetsDefinition]:  # fmt: skip
    """Make an asset of a function from a :class:`Shard` to an :class:`Outcome`; its name is the table's.

    Args:
        group: Dagit's group.
        upstream: tables it reads; each is gated by its blocking checks, also across runs.
        roles: model roles it asks; their templates are part of its code version, and it then holds the `gpu` pool.
        templates: prompts it writes into its rows without asking anyone.
        transform: raise it when the function's meaning changes.
        kinds: shown on the asset besides `deltalake`.
    """

    def decorate(make: Make) -> dg.AssetsDefinition:
        table = make.__name__
        version = code_version(transform, [*roles, *templates])

        @dg.asset(
            name=table, deps=list(upstream), group_name=group, partitions_def=SHARDS, backfill_policy=BACKFILL,
            kinds={"deltalake", *kinds}, owners=["team:data"], code_version=version, description=inspect.getdoc(make),
            pool="gpu" if roles else None, metadata={"dagster/column_schema": column_schema(table)},
            tags={"lgt/roles": "-".join(roles)} if roles else None,
        )  # fmt: skip
        def run(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
            return materialize_shards(context, tables.store(), models, table, upstream, make, version)

        return run

    return decorate


def materialize_shards(
    context: dg.AssetExecutionContext, store: DeltaStore, models: Models, table: str, upstream: Sequence[str], make: Make,
    version: str,
) -> dg.MaterializeResult:  # fmt: skip
    """Make every shard of the run; a shard whose upstream fails the gate is refused, the others are made all the same.

    Raises:
        dagster.Failure: some shards were refused or could not be made; the message names them and what to do.
    """
    done, refused = {}, {}
    for key in context.partition_keys:
        try:
            rows = {name: read_upstream(context.instance, store, name, key) for name in upstream}
        except UpstreamError as error:
            refused[key] = str(error)
            continue
        commit = {"run_id": context.run.run_id, "code_version": version, "lgt_asset": table}
        try:
            done[key] = _make_shard(Shard(key, table, rows, models, store), make, commit)
        except EngineError as error:  # the next shard would meet the same model
            _report_done(context, table, done)
            raise dg.Failure(f"{table}, shard {key}: {error}", allow_retries=False) from error
        except LgtError as error:
            refused[key] = f"{key}: {error}"
    if refused:
        _report_done(context, table, done)
        raise dg.Failure(f"{table}: {len(refused)} shards not made: {'; '.join(refused.values())}", allow_retries=False)
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)
    return dg.MaterializeResult(metadata={"dagster/uri": store.uri(table)})


def _report_done(context: dg.AssetExecutionContext, table: str, done: dict[str, dict]) -> None:
    """Shards that are made count, although the step as a whole fails."""
    for key, metadata in done.items():
        context.log_event(dg.AssetMaterialization(asset_key=table, partition=key, metadata=metadata))


def _make_shard(shard: Shard, make: Make, commit: dict[str, str]) -> dict:
    """Make, validate and write one shard; what several assets share is written before the asset's own table."""
    started = time.monotonic()
    outcome = make(shard)
    rows = frame(shard.asset, outcome.rows)
    validate(shard.asset, rows)
    slices = {"rejections": outcome.rejections, "funnel": [_funnel_row(shard, outcome, time.monotonic() - started)]}
    if shard.generated is not None:
        slices["generations"] = [row | {"shard": shard.key, "ordinal": n} for n, row in enumerate(shard.generated)]
    for table, content in slices.items():
        shard.store.replace(table, frame(table, content), shard=shard.key, asset=shard.asset, metadata=commit)
    delta_version = shard.store.replace(shard.asset, rows, shard=shard.key, metadata=commit)
    return _metadata(shard, outcome, delta_version) | preview(shard.asset, rows)


def _funnel_row(shard: Shard, outcome: Outcome, seconds: float) -> dict:
    usage = shard.usage
    return {
        "shard": shard.key, "ordinal": 0, "asset": shard.asset, "asked": outcome.asked, "parsed": outcome.parsed,
        "accepted": len(outcome.rows), "rejected": len(outcome.rejections), "requests_sent": usage.requests_sent,
        "requests_reused": usage.requests_reused, "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens, "seconds": seconds,
    }  # fmt: skip


def _metadata(shard: Shard, outcome: Outcome, delta_version: int) -> dict:
    reasons = [rejection["reason"] for rejection in outcome.rejections]
    return {
        ROW_COUNT: len(outcome.rows),
        "delta/version": delta_version,
        "asked": outcome.asked,
        "parsed": outcome.parsed,
        "rejected": dg.MetadataValue.json({reason: reasons.count(reason) for reason in sorted(set(reasons))}),
        "requests_sent": shard.usage.requests_sent,
        "requests_reused": shard.usage.requests_reused,
        "completion_tokens": shard.usage.completion_tokens,
    }
