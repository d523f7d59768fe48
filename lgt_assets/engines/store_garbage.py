"""Removing what nobody needs from a shard's response store, here and where machines share it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lgt_assets.engines.completion_records import encode_stored
from lgt_assets.engines.folder_use import alone, is_in_use
from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.shared_chunks import SharedChunks
from lgt_assets.engines.store_maintenance import copied, frames
from lgt_assets.engines.stored_files import SET_ASIDE, read_chunk, write_chunk
from lgt_assets.errors import StorageError


@dataclass
class Garbage:
    """What `gc` would remove of a shard: completions that nobody needs, files that were set aside or left half written."""

    shard: str
    completions: int = 0
    tokens: int = 0
    files: list[Path] = field(default_factory=list)
    chunks: list[Path] = field(default_factory=list)
    in_use: bool = False


def find_garbage(
    root: Path, shard: str, is_needed: Callable[[pl.DataFrame], pl.Series], shared: SharedChunks | None = None
) -> Garbage:
    """Look for what can be removed; nothing is changed.

    Args:
        root: of all shards' stores.
        shard: which.
        is_needed: for rows of completions, which of them must stay (Boolean).
        shared: what machines share; ``in_use`` tells of this machine alone.
    """
    in_use = (root / shard).is_dir() and is_in_use(root / shard)
    with copied(root, shard, shared):
        garbage = _garbage(root / shard, is_needed)
    garbage.in_use = in_use
    return garbage


def _garbage(folder: Path, is_needed: Callable[[pl.DataFrame], pl.Series]) -> Garbage:
    garbage = Garbage(folder.name)
    garbage.files = sorted((folder / SET_ASIDE).glob("*")) + sorted(folder.glob(f"{PARTIAL_PREFIX}*"))
    for path, frame in frames(folder):
        unneeded = frame.filter(~is_needed(frame))
        if unneeded.height:
            garbage.chunks.append(path)
            garbage.completions += unneeded.height
            garbage.tokens += (unneeded["prompt_tokens"] + unneeded["completion_tokens"]).sum()
    return garbage


def remove_garbage(
    root: Path, shard: str, is_needed: Callable[[pl.DataFrame], pl.Series], shared: SharedChunks | None = None
) -> Garbage:
    """Remove it: chunks are written anew without what nobody needs, each durable before the old one goes.

    Raises:
        StorageError: the shard is in use, or a chunk cannot be written; every completion that is needed stays.
    """
    ResponseStore(root, shard, shared=shared).close()  # seals what dead runs left
    publish = shared.publish if shared is not None else None
    with alone(root / shard):
        garbage = _garbage(root / shard, is_needed)
        for path in garbage.chunks:
            frame = read_chunk(path)
            kept = frame.filter(is_needed(frame))
            try:
                if kept.height:
                    write_chunk(path.parent, kept, map(encode_stored, kept.iter_rows(named=True)), publish)
                if shared is not None:
                    shared.remove(path.parent, [path.name])
                path.unlink()
            except (OSError, pl.exceptions.PolarsError) as error:
                raise StorageError(f"{path} cannot be written anew: {error}; it stays as it is") from error
        for path in garbage.files:
            path.unlink(missing_ok=True)
        return garbage
