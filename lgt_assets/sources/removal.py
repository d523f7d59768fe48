"""Taking pictures out of a source's shard file: a tombstone, without any text of theirs, stands where each was.

Shards never change otherwise. What stands there keeps the picture from being admitted again, and its bad rows from being recorded
again, however often the source is added.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path

from lgt_assets.errors import NotFoundError
from lgt_assets.sources.admission import problem_key
from lgt_assets.sources.files import locked, write_atomically
from lgt_assets.sources.records import SourceProblem
from lgt_assets.sources.shard_files import (
    REMOVED_PICTURE,
    REMOVED_PROBLEM,
    holdings_path,
    shard_path,
    source_lock,
    source_of,
)


def remove_pictures(
    state: Path, shard: str, sha256s: Collection[str], is_about: Callable[[str], bool] = lambda _: False
) -> int:
    """Put tombstones in the places of pictures, and of bad rows that are about them; how many places that were.

    The file in which the source's holdings are looked up goes as well: it is made again from the shards.

    Args:
        state: the state folder.
        shard: a shard of the source.
        sha256s: of the pictures.
        is_about: whether a bad row's text is about one of them.

    Raises:
        NotFoundError: there is no such shard.
    """
    name = source_of(shard)
    with locked(source_lock(state, name)):
        path = shard_path(state, shard)
        if not path.is_file():
            raise NotFoundError(f"no shard {shard}; `lgt sources list` shows those there are")
        header, *lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        kept = [_without(line, sha256s, is_about) for line in lines]
        removed = sum(new is not old for new, old in zip(kept, lines, strict=True))
        if removed:
            header["images"] = sum(line["type"] == "image" for line in kept)
            header["problems"] = sum(line["type"] == "problem" for line in kept)
            text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in [header, *kept])
            write_atomically(path, text.encode())
        holdings = holdings_path(state, name)
        for ending in ("", "-wal", "-shm"):
            holdings.with_name(holdings.name + ending).unlink(missing_ok=True)
    return removed


def _without(line: dict, sha256s: Collection[str], is_about: Callable[[str], bool]) -> dict:
    if line["type"] == "image" and line["sha256"] in sha256s:
        return {"type": REMOVED_PICTURE, "digest": line["sha256"]}
    if line["type"] == "problem" and is_about(json.dumps(line, ensure_ascii=False)):
        problem = SourceProblem(**{name: value for name, value in line.items() if name != "type"})
        return {"type": REMOVED_PROBLEM, "digest": problem_key(problem)}
    return line
