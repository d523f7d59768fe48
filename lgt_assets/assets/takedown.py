"""Takedowns as Dagster sees them: none while runs are active; the event log is cleaned, touched shards are recorded anew."""

from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import polars as pl
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
    INPUT_EVENT_POINTER_TAG_PREFIX,
    get_input_data_version_tag,
)

from lgt_assets.assets.event_log_cleaning import clean_event_log
from lgt_assets.assets.maintenance import require_no_runs
from lgt_assets.assets.materialization import input_versions, shard_materialization
from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.checks.evaluation import latest_materialization
from lgt_assets.errors import SettingsError
from lgt_assets.state import shared_store
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.plan import Plan, unfinished_plan
from lgt_assets.takedown.taking_down import Places, alone, carry_out, make_plan
from lgt_assets.takedown.texts import telling

WHAT = "takedown"
_INPUT_TAGS = (INPUT_DATA_VERSION_TAG_PREFIX, INPUT_EVENT_POINTER_TAG_PREFIX)
# Longer texts, such as whole thoughts, stand in no event but in previews, which go as a whole.
EVENT_CHARACTERS = 1000
NOTE = "Rows were removed by a takedown; nothing was made anew. Numbers are of the shard as it was made."


def require_in_reach() -> None:
    """Refuse where pictures and completions lie on an object store, and in caches of other machines.

    Raises:
        SettingsError: they do.
    """
    if root := shared_store():
        raise SettingsError(
            f"a takedown does not reach what machines share at {root}, nor their caches: remove the pictures there by hand, and "
            "what was made of them; see docs/object-stores.md"
        )


def look(places: Places, names: Sequence[str]) -> Plan:
    """What :func:`take_down` would remove."""
    return make_plan(places, names)


def take_down(
    instance: dg.DagsterInstance, places: Places, names: Sequence[str], step: Callable[[str], None] = lambda _: None
) -> list[Plan]:
    """Complete what a killed takedown left, then take down what is named; what was done, in this order.

    Raises:
        SettingsError: see :func:`require_in_reach`.
        StorageError: runs are active, or another takedown goes on.
        NotFoundError: a name means no picture.
    """
    import lgt_assets.definitions  # noqa: F401 - all stages are known then

    require_in_reach()
    require_no_runs(instance, what=WHAT)
    done = []
    with alone(places.state):
        left = unfinished_plan(places.state)
        if left is not None:
            step("a takedown that was interrupted is completed first")
            carry_out(places, left, tell_dagster=lambda plan: tell(instance, places, plan), step=step)
            done.append(left)
            names = [name for name in names if name not in {*left.names, *left.image_ids, *left.sha256s}]
        if names:
            plan = make_plan(places, names)
            plan.versions = recorded_versions(instance, plan.shards)
            carry_out(places, plan, tell_dagster=lambda plan: tell(instance, places, plan), step=step)
            done.append(plan)
    return done


def recorded_versions(instance: dg.DagsterInstance, shards: Sequence[str]) -> dict[str, str]:
    """By "table/shard", the data version that the latest materialization tells."""
    found = {}
    for table in STAGES:
        for shard in shards:
            record = latest_materialization(instance, table, shard)
            if record is not None and record.asset_materialization is not None:
                found[f"{table}/{shard}"] = (record.asset_materialization.tags or {}).get(DATA_VERSION_TAG, "")
    return found


def tell(instance: dg.DagsterInstance, places: Places, plan: Plan) -> None:
    """Clean the event log, then record every touched shard as it is now."""
    texts = [text for text in [*plan.texts, *plan.ids] if len(text) <= EVENT_CHARACTERS]
    texts += telling(Path(picture.uri).name for picture in plan.pictures if picture.uri)
    clean_event_log(instance, shards=plan.shards, texts=texts, releases=plan.releases)
    for shard in plan.shards:
        for table in stages_in_order():
            _record(instance, places.store, plan, table, shard)


def stages_in_order() -> list[str]:
    """All stages, each after those that it reads."""
    ordered: list[str] = []
    while len(ordered) < len(STAGES):
        ordered += [name for name in STAGES if name not in ordered and set(STAGES[name].upstream) <= {*ordered}]
    return ordered


def _record(instance: dg.DagsterInstance, store: DeltaStore, plan: Plan, table: str, shard: str) -> None:
    """Report a materialization with the rows that are left; what was stale before is stale afterwards."""
    from lgt_assets.observe.materialization import shard_metadata

    record, before = latest_materialization(instance, table, shard), plan.versions.get(f"{table}/{shard}")
    made = record.asset_materialization if record else None
    if made is None or before is None or (made.metadata.get(WHAT) and str(made.metadata[WHAT].value) == plan.began_at):
        return
    tags = made.tags or {}
    inputs = {name: value for name, value in tags.items() if name.startswith(_INPUT_TAGS)}
    for upstream in STAGES[table].upstream:
        if tags.get(get_input_data_version_tag(dg.AssetKey(upstream))) == plan.versions.get(f"{upstream}/{shard}"):
            inputs |= input_versions(instance, [upstream], shard)
    removed = sum(f".{shard}." in one for one in plan.rows.get(table, []))
    delta_version = store.version(table)
    funnel = store.read("funnel", shards=[shard]).filter(pl.col("asset") == table)
    reasons = store.scan("rejections", shards=[shard]).filter(pl.col("asset") == table).select("reason").collect()
    shown = shard_metadata(
        table, funnel=funnel.row(0, named=True), reasons=reasons["reason"], delta_version=delta_version,
        batches=[store.read(table, shards=[shard])],
        find=lambda name, key, values: _find(store, shard, name, key, values),
    ) if funnel.height else {"delta/version": delta_version}  # fmt: skip
    told = {"dagster/uri": store.uri(table), ROW_COUNT: made.metadata[ROW_COUNT].value - removed, "note": NOTE}
    instance.report_runless_asset_event(
        shard_materialization(
            table, shard, inputs=inputs, code_version=tags.get(CODE_VERSION_TAG, ""),
            data_version=store.slice_version(table, shard), metadata=shown | told | {WHAT: plan.began_at},
        )
    )  # fmt: skip


def _find(store: DeltaStore, shard: str, table: str, key: str, values: Sequence[str]) -> list[dict]:
    return store.scan(table, shards=[shard]).filter(pl.col(key).is_in(sorted(values))).collect().to_dicts()
