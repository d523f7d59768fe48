"""Adding a source: its shards become partitions and its pictures members; the command line and a Dagit job share it."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import dagster as dg
from pydantic import Field

from lgt_assets.errors import LgtError
from lgt_assets.object_store import ObjectStore
from lgt_assets.partitions import register_shards
from lgt_assets.resources import Tables
from lgt_assets.schemas import frame
from lgt_assets.settings import state_folder
from lgt_assets.sources import Addition, add_source, member_rows
from lgt_assets.sources.card import SourceCard, source_card
from lgt_assets.sources.files import locked
from lgt_assets.sources.shard_files import shard_names
from lgt_assets.sources.shared_shards import share_source
from lgt_assets.state import shared_store
from lgt_assets.storage import DeltaStore

SHARD_SIZE = 64
SHARDS_NOTED_AT_ONCE = 100


def register(
    instance: dg.DagsterInstance, store: DeltaStore, name: str, kind: str, options: dict, *,
    shard_size: int = SHARD_SIZE, progress: Callable | None = None, observe: Callable[[dg.AssetObservation], None] | None = None,
) -> Addition:  # fmt: skip
    """Cut what is new in the source into shards, note their pictures in `shard_members`, and make them partitions.

    With ``$LGT_STORE`` the shards and their pictures are put there, for every machine of a cluster to make them.
    What an earlier call was killed before finishing is made up for: members and partitions follow the shard files. Where
    something was added, the source's card becomes an observation of `images`: given to ``observe``, which is a run's log, or
    else recorded outside of runs.

    Raises:
        SourceError: the source as a whole cannot be read.
        StorageError: a table cannot be written, or the object store does not answer.
    """
    addition = add_source(state_folder(), name, kind, options, shard_size=shard_size, progress=progress)
    shards = shard_names(state_folder(), name)
    if root := shared_store():
        share_source(state_folder(), ObjectStore(root), name)
    note_members(store, shards)
    register_shards(instance, shards)
    if addition.new_shards:
        from lgt_assets.observe.source_card import card_observation

        (observe or instance.report_runless_asset_event)(card_observation(card_of(store, name)))
    return addition


def card_of(store: DeltaStore, name: str) -> SourceCard:
    """A source's card, with the duplicates among those pictures that were hashed.

    Raises:
        NotFoundError: there is no such source.
    """
    shards = set(shard_names(state_folder(), name)) & set(store.shards("picture_hashes"))
    hashed = store.scan("picture_hashes", shards=sorted(shards)).group_by("phash").len().collect() if shards else None
    return source_card(state_folder(), name, {} if hashed is None else dict(hashed.iter_rows()))


def note_members(store: DeltaStore, shards: Sequence[str]) -> None:
    """Note in `shard_members` which pictures ``shards`` hold, as their files say; what is noted already stays.

    Some shards at a time: memory does not grow with their number, and after a kill the rest is noted by the next call. Machines
    that find the same shards missing at once write them in each other's place.
    """
    with locked(state_folder() / "sources" / ".members.lock"):  # two processes of a machine do not both write them
        known = set(store.shards("shard_members"))
        missing = (shard for shard in shards if shard not in known)
        while some := list(islice(missing, SHARDS_NOTED_AT_ONCE)):
            members = [row for shard in some for row in member_rows(state_folder(), shard)]
            if members:
                rows = partial(iter, [frame("shard_members", members)])
                store.rewrite("shard_members", rows, shards=some)


class RegisterSourceConfig(dg.Config):
    """What to add."""

    name: str = Field(description="Name of the source: lower-case letters, digits and dashes.")
    kind: str = Field(description="scenes, photos, manifest, docci, coco, hub or webdataset.")
    options: dict = Field(default={}, description="Options of the kind, e.g. {count: 96} or {path: my.jsonl}.")
    shard_size: int = Field(default=SHARD_SIZE, description="Pictures per shard.")


@dg.op(description="Cuts new pictures of a source into shards and registers them as partitions.")
def add_source_to_shards(context: dg.OpExecutionContext, config: RegisterSourceConfig, tables: Tables) -> None:
    """Run :func:`register` and log what was added."""
    try:
        addition = register(
            context.instance, tables.store(), config.name, config.kind, config.options, shard_size=config.shard_size,
            observe=context.log_event,
        )  # fmt: skip
    except LgtError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.log.info(
        f"{config.name}: {addition.images_added} pictures added in {len(addition.new_shards)} shards, "
        f"{addition.problems_added} bad rows quarantined, {addition.images_known} known already; {addition.without_caption} "
        "pictures added have no caption"
    )


@dg.job(description="Add a source of pictures, or the new pictures of a known one.")
def register_source() -> None:
    """One op: the same as `lgt sources add`."""
    add_source_to_shards()
