"""Adding a source: its shards become partitions and its pictures members; the command line and a Dagit job share it."""

from collections.abc import Callable, Sequence

import dagster as dg
import polars as pl
from pydantic import Field

from lgt_assets.errors import LgtError
from lgt_assets.partitions import register_shards
from lgt_assets.resources import Tables
from lgt_assets.schemas import polars_schema
from lgt_assets.settings import state_folder
from lgt_assets.sources import Addition, add_source, list_sources, member_rows
from lgt_assets.sources.files import locked
from lgt_assets.storage import DeltaStore

SHARD_SIZE = 64


def register(
    instance: dg.DagsterInstance, store: DeltaStore, name: str, kind: str, options: dict, *,
    shard_size: int = SHARD_SIZE, progress: Callable | None = None,
) -> Addition:  # fmt: skip
    """Cut what is new in the source into shards, note their pictures in `shard_members`, and make them partitions.

    What an earlier call was killed before finishing is made up for: members and partitions follow the shard files.

    Raises:
        SourceError: the source as a whole cannot be read.
    """
    addition = add_source(state_folder(), name, kind, options, shard_size=shard_size, progress=progress)
    shards = next(source.shards for source in list_sources(state_folder()) if source.name == name)
    note_members(store, shards)
    register_shards(instance, list(shards))
    return addition


def note_members(store: DeltaStore, shards: Sequence[str]) -> None:
    """Note in `shard_members` which pictures ``shards`` hold, as their files say; what is noted already stays."""
    with locked(state_folder() / "sources" / ".members.lock"):  # two at once would both find them missing
        known = set(store.scan("shard_members").select("shard").unique().collect()["shard"])
        members = [row for shard in shards if shard not in known for row in member_rows(state_folder(), shard)]
        if members:
            store.append("shard_members", pl.DataFrame(members, schema=polars_schema("shard_members")))


class RegisterSourceConfig(dg.Config):
    """What to add."""

    name: str = Field(description="Name of the source: lower-case letters, digits and dashes.")
    kind: str = Field(description="scenes, photos or manifest.")
    options: dict = Field(default={}, description="Options of the kind, e.g. {count: 96} or {path: my.jsonl}.")
    shard_size: int = Field(default=SHARD_SIZE, description="Pictures per shard.")


@dg.op(description="Cuts new pictures of a source into shards and registers them as partitions.")
def add_source_to_shards(context: dg.OpExecutionContext, config: RegisterSourceConfig, tables: Tables) -> None:
    """Run :func:`register` and log what was added."""
    try:
        addition = register(
            context.instance, tables.store(), config.name, config.kind, config.options, shard_size=config.shard_size
        )
    except LgtError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.log.info(
        f"{config.name}: {addition.images_added} pictures added in {len(addition.new_shards)} shards, "
        f"{addition.problems_added} bad rows quarantined, {addition.images_known} known already"
    )


@dg.job(description="Add a source of pictures, or the new pictures of a known one.")
def register_source() -> None:
    """One op: the same as `lgt sources add`."""
    add_source_to_shards()
