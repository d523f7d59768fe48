"""What all partitioned assets share: gate, make, validate, replace, report. An asset is then one short function."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dagster as dg

from lgt_assets.assets.making import Make, make_shard
from lgt_assets.assets.shard import Shard
from lgt_assets.assets.upstream import read_upstream
from lgt_assets.errors import EngineError, LgtError, RequestsFailedError, UpstreamError
from lgt_assets.identity import digest
from lgt_assets.observe.columns import column_metadata
from lgt_assets.observe.progress import observed_progress
from lgt_assets.partitions import BACKFILL, SHARDS
from lgt_assets.prompts.templates import prompt_set
from lgt_assets.resources import Models, Tables
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore

STAGES: dict[str, "Stage"] = {}
OPTIONAL_TEMPLATES = ("direct", "open", "consistency", "behaviours")


@dataclass(frozen=True)
class Stage:
    """An asset's function, the tables it reads and the roles it asks, for those who look ahead without Dagster."""

    make: Make
    upstream: tuple[str, ...]
    roles: tuple[str, ...]


def code_version(transform: str, templates: Sequence[str]) -> str:
    """Version of an asset's code: its transform's own version and the templates that its rows come from."""
    if not templates:
        return transform
    prompts = prompt_set(load_profile().prompts)
    present = [name for name in templates if prompts.has(name) or name not in OPTIONAL_TEMPLATES]
    hashes = [prompts.template_hash(variant) for name in present for variant in prompts.variants(name)]
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
        STAGES[table] = Stage(make, tuple(upstream), tuple(roles))

        @dg.asset(
            name=table, deps=list(upstream), group_name=group, partitions_def=SHARDS, backfill_policy=BACKFILL,
            kinds={"deltalake", *kinds}, owners=["team:data"], code_version=version, description=inspect.getdoc(make),
            pool="gpu" if roles else None, metadata=column_metadata(table),
            tags={"lgt/made-by": "model", "lgt/roles": "-".join(roles)} if roles else {"lgt/made-by": "code"},
        )  # fmt: skip
        def run(context: dg.AssetExecutionContext, tables: Tables, models: Models) -> dg.MaterializeResult:
            with observed_progress(context.log_event):
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
            done[key] = make_shard(Shard(key, table, rows, models, store), make, commit)
        except RequestsFailedError as error:  # this shard's prompts, perhaps: the others have their own
            refused[key] = f"{key}: {error}"
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
