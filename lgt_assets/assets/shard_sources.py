"""A shard's rows as its source gives them, from this machine's state folder or from what the machines of a cluster share."""

from lgt_assets.object_store import ObjectStore
from lgt_assets.settings import state_folder
from lgt_assets.sources.rows import ShardRows, shard_rows
from lgt_assets.sources.shared_shards import shared_shard_rows
from lgt_assets.state import shared_store


def rows_of_source(shard: str) -> ShardRows:
    """The rows; with ``$LGT_STORE`` those of the shard that lies there, the same on every machine.

    Raises:
        NotFoundError: there is no such shard.
        SourceError: the shard's file was damaged.
        StorageError: the object store does not answer.
    """
    root = shared_store()
    return shared_shard_rows(state_folder(), ObjectStore(root), shard) if root else shard_rows(state_folder(), shard)
