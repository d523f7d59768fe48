"""Materializing without Dagit: the same definitions, instance and gates, in this process."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg
import polars as pl

from lgt_assets.assets.dry_run import dry_run
from lgt_assets.assets.post_training import CELLS
from lgt_assets.costs import recorded_rates
from lgt_assets.dead_runs import closing_dead_runs, runs_stay_here
from lgt_assets.definitions import POST_TRAINING, defs
from lgt_assets.errors import LgtError, NotFoundError, SettingsError
from lgt_assets.estimates import Estimate, estimate
from lgt_assets.partitions import SHARDS_PER_RUN, registered_shards
from lgt_assets.resources import Models, Tables, engines_kept
from lgt_assets.storage import DeltaStore

# Callers show progress and failures themselves; Dagit keeps every event with its stack trace.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dataclass
class RunSummary:
    """What a headless run did; ``failures`` are messages for people, one per failed step."""

    shards: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class TrainingSummary:
    """What was trained: each asset's metadata, and messages for people, one per failed step."""

    told: dict[str, dict[str, object]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def chosen_assets(selection: str | None) -> list[str]:
    """Asset names that ``selection`` names (Dagster's selection syntax, or names joined by commas); all by default.

    Models are no tables: those of post-training are made by recipe and seed (`lgt train`), and are not among them.

    Raises:
        NotFoundError: it names none.
    """
    graph = defs.resolve_asset_graph()
    models = {asset.key for asset in POST_TRAINING}
    known = {key.to_user_string(): key for key in graph.get_all_asset_keys() if key not in models}
    listed = ", ".join(sorted(known))
    names = [name.strip() for name in (selection or ",".join(known)).split(",")]
    if all(name.isidentifier() for name in names):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise NotFoundError(f"--select: there is no asset {', '.join(unknown)}; there are {listed}")
        keys = {known[name] for name in names}
    else:
        try:
            keys = dg.AssetSelection.from_string(str(selection)).resolve(graph) - models
        except dg.DagsterError as error:
            raise NotFoundError(f"--select {selection!r}: {error}; assets are {listed}") from error
    if not keys:
        raise NotFoundError(f"--select {selection!r} names no asset; there are {listed}")
    return [key.to_user_string() for key in graph.toposorted_asset_keys if key in keys]


def chosen_shards(instance: dg.DagsterInstance, glob: str) -> list[str]:
    """Registered shards that match the shell pattern ``glob``.

    Raises:
        NotFoundError: there are none.
    """
    known = registered_shards(instance)
    shards = [shard for shard in known if fnmatch.fnmatchcase(shard, glob)]
    if not shards:
        hint = f"registered are {', '.join(known[:20])}" if known else "add a source first: lgt sources add --help"
        raise NotFoundError(f"no shard matches {glob!r}; {hint}")
    return shards


def contiguous_ranges(chosen: Sequence[str], known: Sequence[str], size: int = SHARDS_PER_RUN) -> Iterator[list[str]]:
    """Cut ``chosen`` into runs of at most ``size`` shards that are neighbours in ``known``."""
    wanted, batch = set(chosen), []
    for shard in known:
        if shard in wanted:
            batch.append(shard)
        if batch and (shard not in wanted or len(batch) == size):
            yield batch
            batch = []
    if batch:
        yield batch


def run(instance: dg.DagsterInstance, *, selection: str | None = None, shards: str = "*") -> RunSummary:
    """Materialize the selected assets for the shards that match, then the unpartitioned ones.

    A failed step does not stop other shards' runs; :attr:`RunSummary.failures` says what failed.

    Raises:
        NotFoundError: nothing matches.
    """
    _require_runs_here(instance)
    summary = RunSummary(assets=chosen_assets(selection))
    partitioned = [name for name in summary.assets if name != "release"]
    with engines_kept():
        if partitioned:
            summary.shards = chosen_shards(instance, shards)
            for batch in contiguous_ranges(summary.shards, registered_shards(instance)):
                tags = {RANGE_START: batch[0], RANGE_END: batch[-1]}
                summary.failures += _execute(instance, partitioned, tags)
        if "release" in summary.assets and not summary.failures:
            summary.failures += _execute(instance, ["release"], {})
    return summary


def look_ahead(instance: dg.DagsterInstance, *, selection: str | None = None, shards: str = "*") -> list[Estimate]:
    """What :func:`run` would send and reuse, and what that would take; sends and writes nothing.

    Raises:
        NotFoundError: nothing matches.
    """
    models, store = Models(), Tables().store()
    asked = dry_run(models, store, chosen_assets(selection), chosen_shards(instance, shards))
    rates = recorded_rates(store)
    return [estimate(one, rates, models.profile, models.identity(one.role).name) for one in asked]


def retry_failed(
    instance: dg.DagsterInstance, store: DeltaStore, *, selection: str | None = None, shards: str = "*"
) -> RunSummary:
    """Make again the selected assets' shards that have rows in ``failures``; stored completions are not asked for again.

    Raises:
        NotFoundError: the selection names nothing that is.
    """
    _require_runs_here(instance)
    summary, known = RunSummary(), registered_shards(instance)
    failed = store.scan("failures").select("asset", "shard").unique().collect()
    wanted = {shard for shard in failed["shard"] if fnmatch.fnmatchcase(shard, shards)}
    with engines_kept():
        for asset in chosen_assets(selection):
            own = wanted & set(failed.filter(pl.col("asset") == asset)["shard"])
            for batch in contiguous_ranges(sorted(own), known):
                summary.assets += [asset] if asset not in summary.assets else []
                summary.shards += [shard for shard in batch if shard not in summary.shards]
                summary.failures += _execute(instance, [asset], {RANGE_START: batch[0], RANGE_END: batch[-1]})
    return summary


def train(
    instance: dg.DagsterInstance, *, selection: str, recipe: str, seed: str, steps: int | None = None,
    config: Mapping[str, Mapping[str, int]] | None = None,
) -> TrainingSummary:  # fmt: skip
    """Materialize assets of post-training for one recipe and seed, one after the other.

    Args:
        instance: where the runs are kept.
        selection: names joined by commas.
        recipe: a partition.
        seed: a partition.
        steps: of each trainer, instead of its own budget's.
        config: of each asset, what differs from its defaults.

    Raises:
        NotFoundError: there is no such asset, recipe or seed.
    """
    _require_runs_here(instance)
    known = [asset.key.to_user_string() for asset in POST_TRAINING]
    names = [name.strip() for name in selection.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise NotFoundError(f"--select: post-training has no asset {', '.join(unknown)}; it has {', '.join(known)}")
    key = dg.MultiPartitionKey({"recipe": recipe, "seed": seed})
    if not CELLS.has_partition_key(key):
        raise NotFoundError(
            f"there is no recipe {recipe!r} with seed {seed!r}; there are {', '.join(CELLS.get_partition_keys())}"
        )
    summary, job = TrainingSummary(), defs.resolve_job_def("post_training")
    for name in (name for name in known if name in names):
        own = ({"steps": steps} if steps and name != "evaluation" else {}) | dict((config or {}).get(name, {}))
        settings = {"ops": {name: {"config": own}}} if own else {}
        with closing_dead_runs(instance):
            result = job.execute_in_process(
                instance=instance, asset_selection=[dg.AssetKey(name)], partition_key=key, raise_on_error=False,
                run_config=QUIET | settings,
            )  # fmt: skip
        if not result.success:
            summary.failures += [_message(event) for event in result.all_events if event.is_step_failure]
            return summary
        (materialization,) = result.asset_materializations_for_node(name)
        summary.told[name] = {
            label: value.value
            for label, value in materialization.metadata.items()
            if not isinstance(value, dg.MarkdownMetadataValue)  # made for Dagit
        }
    return summary


def _require_runs_here(instance: dg.DagsterInstance) -> None:
    """Run monitoring of a cluster knows nothing of a run in this process, takes it for dead, and resumes it elsewhere."""
    if not runs_stay_here(instance):
        launcher = type(instance.run_launcher).__name__
        raise SettingsError(
            f"this instance's runs are started by {launcher}, not in this process: start them in Dagit (lgt dagit)"
        )


def _execute(instance: dg.DagsterInstance, assets: Sequence[str], tags: dict[str, str]) -> list[str]:
    """Execute one run in this process; messages of what failed."""
    job = defs.resolve_implicit_global_asset_job_def()
    keys = [dg.AssetKey(name) for name in assets]
    with closing_dead_runs(instance):
        result = job.execute_in_process(
            instance=instance, asset_selection=keys, tags=tags, raise_on_error=False, run_config=QUIET
        )
    if result.success:
        return []
    failures = [_message(event) for event in result.all_events if event.is_step_failure]
    return failures or [e.message or "the run failed" for e in result.all_events if e.is_failure]


def _message(event: dg.DagsterEvent) -> str:
    """What a step failed of, without Dagster's wrapping: an error of ours speaks for itself, others name their class."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error.cause or data.error if data.error else None
    if error is None:
        return f"{event.step_key}: failed"
    return f"{event.step_key}: {error.message.strip().removeprefix('lgt_assets.errors.').partition(': ')[2] or error.message}"


def require_success(summary: RunSummary | TrainingSummary) -> None:
    """Raise for a run in which anything failed.

    Raises:
        LgtError: names every failure.
    """
    if summary.failures:
        raise LgtError("\n".join(summary.failures))
