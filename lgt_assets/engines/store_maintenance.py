"""Looking after response stores: what they hold, and whether it is whole, here and where machines share it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from lgt_assets.engines.completion_records import COLUMNS, encode_stored
from lgt_assets.engines.journal import PARTIAL_PREFIX
from lgt_assets.engines.response_store import ResponseStore
from lgt_assets.engines.shared_chunks import SharedChunks
from lgt_assets.engines.stored_files import (
    CHUNK_NAME,
    JOURNAL_NAME,
    SET_ASIDE,
    JournalFile,
    chunk_paths,
    content_name,
    read_chunk,
)
from lgt_assets.identity import SHARD_KEY


def stored_shards(root: Path, shared: SharedChunks | None = None) -> list[str]:
    """Shards that have a file below ``root``, or a chunk in what machines share, sorted."""
    folders = [path for path in root.iterdir() if SHARD_KEY.fullmatch(path.name)] if root.is_dir() else []
    if shared is None:
        return sorted(path.name for path in folders)
    return sorted({*shared.shards(), *(path.name for path in folders if any(path.iterdir()))})


def stats(root: Path, shard: str, shared: SharedChunks | None = None) -> dict:
    """What a shard's store holds; of what machines share, copies are made here.

    Returns:
        ``completions`` (distinct), ``bytes`` of all files here, ``chunks``, ``journals``, ``set_aside`` (files),
        ``prompt_tokens``, ``completion_tokens``, completions by ``models`` and ``assets``, and ``shared``: None, or the ``bytes``
        and ``chunks`` on the object store, and ``completions_here_alone``, which are in no chunk yet.
    """
    with copied(root, shard, shared):
        return _stats(root, shard, shared)


@contextmanager
def copied(root: Path, shard: str, shared: SharedChunks | None) -> Iterator[None]:
    """Have copies of the shard's shared chunks here meanwhile.

    Raises:
        StorageError: the object store does not answer.
    """
    if shared is None:
        yield
        return
    # opened as a run opens it: what was removed there goes here, too, and nobody makes room of the copies
    with ResponseStore(root, shard, read_only=True, shared=shared):
        yield


def _stats(root: Path, shard: str, shared: SharedChunks | None) -> dict:
    files = [path for path in (root / shard).rglob("*") if path.is_file()]
    columns = ("request_key", "model", "asset", "prompt_tokens", "completion_tokens")
    held = [frame.select(columns) for _path, frame in frames(root / shard)]
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
        "shared": None if shared is None else _shared_stats(root / shard, shared),
    }


def _shared_stats(folder: Path, shared: SharedChunks) -> dict[str, int]:
    there = {name: size for name, size in shared.sizes(folder.name).items() if CHUNK_NAME.fullmatch(name)}
    sealed: set[str] = set()
    written: set[str] = set()
    for path, frame in frames(folder):
        (sealed if path.name in there else written).update(frame["request_key"])
    return {
        "bytes": sum(there.values()),
        "chunks": len(there),
        "completions_here_alone": len(written - sealed),
    }


def verify(root: Path, shard: str, shared: SharedChunks | None = None) -> list[str]:
    """What is wrong with a shard's store, a sentence each: torn, changed or foreign files, keys with different texts.

    Of what machines share every object is read anew, whatever copies say.
    """
    if shared is None:
        return _verify(root / shard)
    problems = [problem for name in shared.sizes(shard) for problem in _object_problem(shared, shard, name)]
    with copied(root, shard, shared):
        return problems + _verify(root / shard)


def _object_problem(shared: SharedChunks, shard: str, name: str) -> list[str]:
    address = shared.address(shard, name)
    if not CHUNK_NAME.fullmatch(name):
        return [f"{address}: is no object of the response store"]
    try:
        content = io.BytesIO(shared.read(shard, name))
    except FileNotFoundError:
        return []  # `lgt store gc` wrote it anew meanwhile
    return _content_problem(address, name, content, "runs skip it, and ask again for what it held")


def _verify(folder: Path) -> list[str]:
    problems = []
    for path in sorted(folder.iterdir()):
        if CHUNK_NAME.fullmatch(path.name):
            problems += _content_problem(
                path, path.name, path, "the next run sets it aside and asks again for what it held"
            )
        elif JOURNAL_NAME.fullmatch(path.name):
            problems += _journal_problem(path)
        elif path.name == SET_ASIDE:
            problems += [
                f"{file}: was set aside; look at it, then `lgt store gc` removes it" for file in sorted(path.iterdir())
            ]
        elif not path.name.startswith(PARTIAL_PREFIX):
            problems.append(f"{path}: is no file of the response store")
    texts = [frame.select("request_key", "text") for _path, frame in frames(folder)]
    if texts:
        differ = pl.concat(texts).unique().filter(pl.col("request_key").is_duplicated())["request_key"].unique().sort()
        problems += [f"{folder}: request {key} has several texts; the smallest counts" for key in differ]
    return problems


def _content_problem(place: Path | str, name: str, content: Path | io.BytesIO, what_follows: str) -> list[str]:
    try:
        found = content_name(map(encode_stored, read_chunk(content).iter_rows(named=True)))
    except (OSError, pl.exceptions.PolarsError) as error:
        return [f"{place}: cannot be read ({error}); {what_follows}"]
    return [] if found == name else [f"{place}: its content is not what its name says: it was changed"]


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


def frames(folder: Path) -> Iterator[tuple[Path, pl.DataFrame]]:
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
        yield from (frame for _path, frame in frames(root / shard))


def share_chunks(root: Path, shard: str, shared: SharedChunks) -> int:
    """Put the chunks of a store that was not shared where machines share them; how many were not there yet.

    Raises:
        StorageError: the object store does not answer. What was put there stays; the next call goes on.
    """
    ResponseStore(root, shard).close()  # seals what dead runs left, and sets aside what cannot be read
    there = shared.sizes(shard)
    missing = [path for path in chunk_paths(root / shard) if path.name not in there]
    for path in missing:
        shared.put(path.parent, path.name, path)
    return len(missing)
