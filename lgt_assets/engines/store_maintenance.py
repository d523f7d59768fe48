"""Looking after response stores: what they hold, whether it is whole, and removing what nobody needs."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lgt_assets.engines.completion_records import COLUMNS, encode_stored
from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.stored_files import (
    CHUNK_NAME,
    JOURNAL_NAME,
    SET_ASIDE,
    JournalFile,
    content_name,
    read_chunk,
    write_chunk,
)
from lgt_assets.errors import StorageError
from lgt_assets.identity import SHARD_KEY


def stored_shards(root: Path) -> list[str]:
    """Shards that have a folder below ``root``, sorted."""
    return sorted(path.name for path in root.iterdir() if SHARD_KEY.fullmatch(path.name)) if root.is_dir() else []


def stats(root: Path, shard: str) -> dict:
    """What a shard's store holds.

    Returns:
        ``completions`` (distinct), ``bytes`` of all files, ``chunks``, ``journals``, ``set_aside`` (files),
        ``prompt_tokens``, ``completion_tokens``, and completions by ``models`` and ``assets``.
    """
    files = [path for path in (root / shard).rglob("*") if path.is_file()]
    columns = ("request_key", "model", "asset", "prompt_tokens", "completion_tokens")
    held = [frame.select(columns) for _path, frame in _frames(root / shard)]
    rows = (
        pl.concat(held).unique("request_key")
        if held
        else pl.DataFrame(schema={name: COLUMNS[name] for name in columns})
    )
    return {
        "shard": shard,
        "completions": rows.height,
        "bytes": sum(path.stat().st_size for path in files),
        "chunks": sum(CHUNK_NAME.fullmatch(path.name) is not None for path in files),
        "journals": sum(JOURNAL_NAME.fullmatch(path.name) is not None for path in files),
        "set_aside": sum(path.parent.name == SET_ASIDE for path in files),
        "prompt_tokens": rows["prompt_tokens"].sum(),
        "completion_tokens": rows["completion_tokens"].sum(),
        "models": dict(sorted(rows.group_by("model").len().iter_rows())),
        "assets": dict(sorted(rows.group_by("asset").len().iter_rows())),
    }


def verify(root: Path, shard: str) -> list[str]:
    """What is wrong with a shard's store, a sentence each: torn, changed or foreign files, keys with different texts."""
    folder, problems = root / shard, []
    for path in sorted(folder.iterdir()):
        if CHUNK_NAME.fullmatch(path.name):
            problems += _chunk_problem(path)
        elif JOURNAL_NAME.fullmatch(path.name):
            problems += _journal_problem(path)
        elif path.name == SET_ASIDE:
            problems += [
                f"{file}: was set aside; look at it, then `lgt store gc` removes it" for file in sorted(path.iterdir())
            ]
        elif not path.name.startswith(PARTIAL_PREFIX):
            problems.append(f"{path}: is no file of the response store")
    texts = [frame.select("request_key", "text") for _path, frame in _frames(folder)]
    if texts:
        differ = pl.concat(texts).unique().filter(pl.col("request_key").is_duplicated())["request_key"].unique().sort()
        problems += [f"{folder}: request {key} has several texts; the smallest counts" for key in differ]
    return problems


def _chunk_problem(path: Path) -> list[str]:
    try:
        name = content_name(map(encode_stored, read_chunk(path).iter_rows(named=True)))
    except (OSError, pl.exceptions.PolarsError) as error:
        return [f"{path}: cannot be read ({error}); the next run sets it aside and asks again for what it held"]
    return [] if name == path.name else [f"{path}: its content is not what its name says: it was changed"]


def _journal_problem(path: Path) -> list[str]:
    with _opened(path) as file:
        fault = file.content().fault if file is not None else ""
        return [f"{path}: {fault}"] if fault else []


@contextmanager
def _opened(path: Path) -> Iterator[JournalFile | None]:
    try:
        file = JournalFile(path)
    except FileNotFoundError:  # sealed meanwhile
        yield None
        return
    try:
        yield file
    finally:
        file.close()


def _frames(folder: Path) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Readable chunks and the whole records of journals."""
    for path in sorted(folder.iterdir()):
        if CHUNK_NAME.fullmatch(path.name):
            try:
                yield path, read_chunk(path)
            except (OSError, pl.exceptions.PolarsError):
                continue  # verify names it
        elif JOURNAL_NAME.fullmatch(path.name):
            with _opened(path) as file:
                records = [record for _position, record in file.content().records] if file is not None else []
            yield path, pl.DataFrame(records, schema=COLUMNS)


def stored_completions(root: Path, shard: str) -> Iterator[pl.DataFrame]:
    """All completions that a shard's store holds, file by file, as rows of ``generations`` without shard and ordinal; keys may
    come twice. Nothing for a shard that stored none.
    """
    if (root / shard).is_dir():
        yield from (frame for _path, frame in _frames(root / shard))


@dataclass
class Garbage:
    """What `gc` would remove of a shard: completions that nobody needs, files that were set aside or left half written."""

    shard: str
    completions: int = 0
    tokens: int = 0
    files: list[Path] = field(default_factory=list)
    chunks: list[Path] = field(default_factory=list)
    in_use: bool = False


def find_garbage(root: Path, shard: str, is_needed: Callable[[pl.DataFrame], pl.Series]) -> Garbage:
    """Look for what can be removed; nothing is changed.

    Args:
        root: of all shards' stores.
        shard: which.
        is_needed: for rows of completions, which of them must stay (Boolean).
    """
    folder = root / shard
    garbage = Garbage(shard, in_use=_is_in_use(folder))
    garbage.files = sorted((folder / SET_ASIDE).glob("*")) + sorted(folder.glob(f"{PARTIAL_PREFIX}*"))
    for path, frame in _frames(folder):
        unneeded = frame.filter(~is_needed(frame))
        if unneeded.height:
            garbage.chunks.append(path)
            garbage.completions += unneeded.height
            garbage.tokens += (unneeded["prompt_tokens"] + unneeded["completion_tokens"]).sum()
    return garbage


def remove_garbage(root: Path, shard: str, is_needed: Callable[[pl.DataFrame], pl.Series]) -> Garbage:
    """Remove it: chunks are written anew without what nobody needs, each durable before the old one goes.

    Raises:
        StorageError: the shard is in use, or a chunk cannot be written; every completion that is needed stays.
    """
    ResponseStore(root, shard).close()  # seals what dead runs left
    with _alone(root / shard):
        garbage = find_garbage(root, shard, is_needed)
        for path in garbage.chunks:
            frame = read_chunk(path)
            kept = frame.filter(is_needed(frame))
            try:
                if kept.height:
                    write_chunk(path.parent, kept, map(encode_stored, kept.iter_rows(named=True)))
                path.unlink()
            except (OSError, pl.exceptions.PolarsError) as error:
                raise StorageError(f"{path} cannot be written anew: {error}; it stays as it is") from error
        for path in garbage.files:
            path.unlink(missing_ok=True)
        return garbage


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the shard's folder while no run reads it or writes to it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StorageError(f"{folder} is in use by a run: wait for its end") from error
    finally:
        os.close(descriptor)


def _is_in_use(folder: Path) -> bool:
    try:
        with _alone(folder):
            return False
    except StorageError:
        return True
