"""What all partitioned assets share: gate, make, validate, replace, report. An asset is then one short function."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from lgt_assets.assets.making import Make, make_shard
from lgt_assets.assets.materialization import input_versions, shard_materialization, step_result
from lgt_assets.assets.run_scope import is_followed_in, not_made
from lgt_assets.assets.shard import Shard
from lgt_assets.assets.upstream import read_upstream, require_whole
from lgt_assets.automation import make_missing
from lgt_assets.errors import EngineError, LgtError, RequestsFailedError, RunEndedError, UpstreamError
from lgt_assets.identity import digest
from lgt_assets.observe.columns import column_metadata
from lgt_assets.observe.progress import observed_progress
from lgt_assets.partitions import BACKFILL, SHARDS
from lgt_assets.prompts.templates import prompt_set
from lgt_assets.resources import Models, Tables
from lgt_assets.settings import Profile, load_profile
from lgt_assets.storage import DeltaStore

STAGES: dict[str, "Stage"] = {}
OPTIONAL_TEMPLATES = ("direct", "open", "consistency", "behaviours")


@dataclass(frozen=True)
class WhereBound:
    """Roles that an asset asks only where the profile binds them all, and the templates of what it asks them."""

    roles: tuple[str, ...]
    templates: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """An asset's function, the tables it reads and the roles it asks, for those who look ahead without Dagster."""

    make: Make
    upstream: tuple[str, ...]
    roles: tuple[str, ...]
    where_bound: WhereBound | None = None

    def roles_in(self, profile: Profile) -> tuple[str, ...]:
        """The roles that it asks with this profile."""
        optional = self.where_bound is not None and profile.binds(*self.where_bound.roles)
        return (*self.roles, *self.where_bound.roles) if optional and self.where_bound else self.roles


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
    transform: str = "1", kinds: Sequence[str] = (), where_bound: WhereBound | None = None,
) -> Callable[[Make], dg.AssetsDefinition]:  # fmt: skip
    """Make an asset of a function from a :class:`Shard` to an :class:`Outcome`; its name is the table's.

    The function imports what makes its rows when it is called: Dagit and every run load the graph, with hundreds of patterns
    of the parsers that they do not use.

    Args:
        group: Dagit's group.
        upstream: tables it reads; each is gated by its blocking checks, also across runs.
        roles: model roles it asks; their templates are part of its code version, and it then holds the `gpu` pool.
        templates: prompts it writes into its rows without asking anyone.
        transform: raise it when the function's meaning changes.
        kinds: shown on the asset besides `deltalake`.
        where_bound: further roles, asked only where the profile binds them; their templates then belong to the code version.
    """

    def decorate(make: Make) -> dg.AssetsDefinition:
        table = make.__name__
        stage = STAGES[table] = Stage(make, tuple(upstream), tuple(roles), where_bound)
        asked = stage.roles_in(load_profile()) if where_bound else stage.roles
        optional = where_bound.templates if where_bound and len(asked) > len(roles) else ()
        version = code_version(transform, [*roles, *templates, *optional])

        @dg.asset(
            name=table, deps=list(upstream), group_name=group, partitions_def=SHARDS, backfill_policy=BACKFILL,
            kinds={"deltalake", *kinds}, owners=["team:data"], code_version=version, description=inspect.getdoc(make),
            pool="gpu" if asked else None, metadata=column_metadata(table), automation_condition=make_missing(),
            tags={"lgt/made-by": "model", "lgt/roles": "-".join(asked)} if asked else {"lgt/made-by": "code"},
        )  # fmt: skip
        def run(
            context: dg.AssetExecutionContext, tables: Tables, models: Models
        ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.MaterializeResult]:
            with observed_progress(context.log_event):
                yield from materialize_shards(context, tables.store(), models, table, make, version)

        return run

    return decorate


def ancestors(table: str) -> list[str]:
    """Tables that ``table`` is made from through others, in data order; those it reads itself are left out."""
    upstream = STAGES[table].upstream
    found = {name for parent in upstream for name in (*STAGES[parent].upstream, *ancestors(parent))}
    return [name for name in STAGES if name in found and name not in upstream]


def materialize_shards(
    context: dg.AssetExecutionContext, store: DeltaStore, models: Models, table: str, make: Make, version: str
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.MaterializeResult]:
    """Make every shard of the run; a shard whose upstream fails the gate is refused, the others are made all the same.

    Each shard is recorded as soon as it is made: what a cancelled run has made counts. While some are made, the step
    succeeds and says of each other why it was not made, so that steps below go on with the rest; the table's checks, or
    those below, then fail the run (:func:`lgt_assets.checks.asset_checks.evaluate`).

    Raises:
        dagster.Failure: no shard could be made, some were not and no later step of the run would say so, or the model cannot
            answer; the message names shards and what to do.
    """
    upstream, refused = STAGES[table].upstream, {}
    for key in context.partition_keys:
        try:
            inputs = input_versions(context.instance, upstream, key)
            for name in ancestors(table):
                require_whole(context.instance, store, name, key, run=context)
            rows = {name: read_upstream(context.instance, store, name, key, run=context) for name in upstream}
            commit = {"run_id": context.run.run_id, "code_version": version, "lgt_asset": table}
            metadata = make_shard(Shard(key, table, rows, models, store), make, commit)
        except RequestsFailedError as error:  # this shard's prompts, perhaps: the others have their own
            refused[key] = f"{table}, shard {key}: {error}"
        except (EngineError, RunEndedError) as error:  # the next shard would meet the same
            raise dg.Failure(f"{table}, shard {key}: {error}", allow_retries=False) from error
        except UpstreamError as error:
            refused[key] = str(error)
        except LgtError as error:
            refused[key] = f"{table}, shard {key}: {error}"
        else:
            yield shard_materialization(
                table, key, inputs=inputs, code_version=version,
                data_version=store.slice_version(table, key), metadata={"dagster/uri": store.uri(table)} | metadata,
            )  # fmt: skip
        if key in refused:
            context.log.error(f"{table}, shard {key} was not made: {refused[key]}")
            yield not_made(table, key, refused[key])
    if len(refused) == len(context.partition_keys) or (refused and not is_followed_in(context, table)):
        count = f"{len(refused)} of {len(context.partition_keys)} shards not made"
        raise dg.Failure(f"{table}: {count}: {'; '.join(refused.values())}", allow_retries=False)
    yield step_result(store.uri(table))
