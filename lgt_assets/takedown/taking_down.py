"""Removing pictures, step by step; every step may be killed and done again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from lgt_assets.engines.store_garbage import remove_garbage
from lgt_assets.errors import NotFoundError, StorageError
from lgt_assets.sources.files import is_locked, locked, remove_leftovers
from lgt_assets.sources.removal import remove_pictures
from lgt_assets.sources.shard_files import read_header, shard_names, source_of
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.below import KEYS, find_below
from lgt_assets.takedown.history import left_to_vacuum, remove_history
from lgt_assets.takedown.named import copies_of_ours, named_pictures
from lgt_assets.takedown.plan import FOLDER, Plan, remove_plan, unfinished_plan, write_plan
from lgt_assets.takedown.release_folders import clean_releases
from lgt_assets.takedown.tables import MEMBERS, note_takedown, remove_rows
from lgt_assets.takedown.texts import spellings

WITH_HISTORY = (*KEYS, MEMBERS, "release")
Step = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where everything lies: the tables, the state folder, the response store."""

    store: DeltaStore
    state: Path
    responses: Path

    @property
    def releases(self) -> Path:
        """Folder of all releases."""
        return self.state / "releases"


def make_plan(places: Places, names: Sequence[str]) -> Plan:
    """All that would be removed; nothing is changed.

    Raises:
        NotFoundError: a name means no picture, or one that was taken down already.
    """
    pictures = named_pictures(places.store, places.state, names)
    members = places.store.scan(MEMBERS).filter("removed").select("image_id").collect()
    gone = {one.image_id for one in pictures} & set(members["image_id"])
    left = [one for one in pictures if one.image_id not in gone]
    if not left:
        raise NotFoundError(f"{', '.join(sorted(gone))} was taken down already: `lgt show` says when")
    command = f"lgt takedown {' '.join(one.image_id for one in left)} --yes"
    plan = Plan(left, list(names), command, datetime.now(UTC).isoformat(timespec="seconds"))
    find_below(places.store, places.responses, plan)
    return plan


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One takedown at a time.

    Raises:
        StorageError: another goes on.
    """
    lock = state / FOLDER / ".lock"
    if is_locked(lock):
        raise StorageError("another takedown goes on: wait for its end")
    with locked(lock):
        remove_leftovers(state / FOLDER)
        yield


def carry_out(places: Places, plan: Plan, *, tell_dagster: Callable[[Plan], None], step: Step = lambda _: None) -> None:
    """Remove everything; call it under :func:`alone`, while no run is active.

    Args:
        places: where everything lies.
        plan: of :func:`make_plan`, or an unfinished one.
        tell_dagster: cleans the event log and records the shards' new row counts; may be called again after a kill.
        step: told what was done.

    Raises:
        LgtError: something cannot be removed; the plan stays, and the same call goes on with it.
    """
    store = places.store
    write_plan(places.state, plan)
    step("the plan is written")
    note_takedown(store, plan)
    step("tombstones are in shard_members")
    _clean_sources(places.state, plan)
    step("the sources' files are written anew")
    for table in KEYS:
        if remove_rows(store, table, plan):
            step(f"{table} is written anew")
    keys = pl.Series(plan.rows.get("generations", []), dtype=pl.String)
    for shard in plan.shards:
        if (places.responses / shard).is_dir():
            remove_garbage(places.responses, shard, lambda rows: ~rows["request_key"].is_in(keys.implode()))
    step("the response store is written anew")
    clean_releases(store, places.releases, plan)
    step("the releases' folders are written anew")
    for path in copies_of_ours(plan.pictures, places.state)[0]:
        path.unlink(missing_ok=True)
    for table in WITH_HISTORY:
        remove_history(store, table, plan.shards_of(table))
    step(left_to_vacuum(store) or "earlier versions are given up")
    tell_dagster(plan)
    step("Dagster knows")
    remove_plan(places.state)


def _clean_sources(state: Path, plan: Plan) -> None:
    """Tombstones in the shards' files; a bad row about a picture may lie in any shard of its source."""
    about = spellings([*plan.texts, *plan.sha256s, *plan.image_ids])
    names = sorted({source_of(shard) for shard in plan.shards})
    for shard in [shard for name in names for shard in shard_names(state, name)]:
        if shard in plan.shards or read_header(state, shard)[1]:
            remove_pictures(state, shard, plan.sha256s, lambda line: any(text in line for text in about))


def unfinished(state: Path) -> Plan | None:
    """The plan of a takedown that was killed before its end."""
    return unfinished_plan(state)
