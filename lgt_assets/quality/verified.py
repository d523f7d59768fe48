"""Which slices are known to keep the rules, by the files they consist of: any write makes a slice unknown again."""

from collections import OrderedDict

from lgt_assets.quality.rules import referenced_tables
from lgt_assets.storage import DeltaStore

# Of this process alone. A run reads a shard's upper tables once for every asset below them; their files say whether they changed.
_kept: OrderedDict[tuple[str, str, str], str] = OrderedDict()
MOST_KEPT = 1024  # a process may make thousands of shards, one after the other


def files_of(store: DeltaStore, table: str, shard: str) -> str:
    """A version of the slice together with those that its rows name, as they are now."""
    return "-".join(store.slice_version(name, shard) for name in (table, *referenced_tables(table)))


def is_verified(store: DeltaStore, table: str, shard: str, files: str) -> bool:
    """Whether this process has found that the slice keeps every rule, made of ``files`` as :func:`files_of` said."""
    return _kept.get((store.root, table, shard)) == files


def note_verified(store: DeltaStore, table: str, shard: str, files: str) -> None:
    """Remember that every rule was kept; ``files`` as :func:`files_of` said before the rows were read."""
    _kept[store.root, table, shard] = files
    _kept.move_to_end((store.root, table, shard))
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
