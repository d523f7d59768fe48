"""Turning journals into chunks: while a run goes on, when it ends, and for runs that died."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lgt_assets.engines.completion_records import COLUMNS, preferred
from lgt_assets.engines.journal import Record, claim
from lgt_assets.engines.stored_files import JournalFile, Publish, set_aside, write_chunk
from lgt_assets.errors import StorageError

SEAL_BYTES = 8 << 20


@dataclass(frozen=True)
class Unsealed:
    """A journal to be sealed: its number in the store, and whether this store wrote it."""

    number: int
    file: JournalFile
    is_own: bool


@dataclass(frozen=True)
class Sealed:
    """A new chunk, its keys row by row, and the numbers of the journals that it takes the place of; None: they held nothing."""

    path: Path | None
    keys: list[str]
    numbers: list[int]


def seal_journals(
    folder: Path, journals: Sequence[Unsealed], *, live: bool, on_sealed: Callable[[Sealed], None],
    publish: Publish | None = None,
) -> None:  # fmt: skip
    """Seal own and dead journals and remove them; of those that live runs hold, with ``live``, seal a copy.

    Args:
        folder: the shard's.
        journals: none that this store still writes to.
        live: also take what live runs have written so far.
        on_sealed: told of each chunk before its journals vanish: with these the caller is done, whatever becomes of later ones.
        publish: see :func:`lgt_assets.engines.stored_files.write_chunk`.

    Raises:
        StorageError: a chunk cannot be written or published; its journals stay, and nothing is lost.
    """
    claims: dict[int, int | None] = {}
    try:
        for journal in journals:
            claims[journal.number] = None if journal.is_own else claim(journal.file.path)
        removable = [journal for journal in journals if journal.is_own or claims[journal.number] is not None]
        wanted = list(journals) if live else removable
        for group in _groups(wanted):
            contents = _read_quickly(group) or _read(group)
            path = write_chunk(folder, contents.rows, contents.encoded, publish) if contents.encoded else None
            keys = contents.rows["request_key"].to_list()
            on_sealed(Sealed(path, keys, [journal.number for journal in group]))
            for journal, fault in zip(group, contents.faults, strict=True):
                if journal in removable:
                    _remove(journal.file, fault)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageError(
            f"a chunk of the response store cannot be sealed in {folder}: {error}; the journals stay"
        ) from error
    finally:
        for descriptor in claims.values():
            if descriptor is not None:
                os.close(descriptor)


def _groups(journals: Sequence[Unsealed]) -> Iterator[list[Unsealed]]:
    """Neighbours of together some :data:`SEAL_BYTES`: a chunk is decoded as a whole."""
    group: list[Unsealed] = []
    size = 0
    for journal in journals:
        if group and size + journal.file.size > SEAL_BYTES:
            yield group
            group, size = [], 0
        group.append(journal)
        size += journal.file.size
    if group:
        yield group


class _Contents(NamedTuple):
    """Of some journals the records that count, as rows and as bytes, by key; and what is wrong with each journal."""

    rows: pl.DataFrame
    encoded: list[bytes]
    faults: list[str]


def _read_quickly(group: Sequence[Unsealed]) -> _Contents | None:
    """For journals that this store wrote, with each key once, which is nearly all of them; None for others."""
    if not all(journal.is_own for journal in group):
        return None
    frames = [journal.file.frames() for journal in group]
    encoded = [record for frame in frames for record in frame.encoded]
    if not encoded:
        return None
    rows = pl.read_ndjson(b"\n".join([frame.lines() for frame in frames if frame.encoded]), schema=COLUMNS)
    keys = rows["request_key"]
    if not rows.height == keys.n_unique() == len(encoded):
        return None
    order = keys.arg_sort()
    return _Contents(rows[order], [encoded[place] for place in order], [frame.fault for frame in frames])


def _read(group: Sequence[Unsealed]) -> _Contents:
    contents = [journal.file.content() for journal in group]
    fresh: dict[str, tuple[Record, bytes]] = {}
    for content in contents:
        for position, record in content.records:
            held = fresh.get(record["request_key"])
            if held is None or preferred(held[0], record) is record:
                fresh[record["request_key"]] = record, content.encoded(position)
    counting = [fresh[key] for key in sorted(fresh)]
    return _Contents(
        pl.DataFrame([record for record, _encoded in counting], schema=COLUMNS),
        [encoded for _record, encoded in counting],
        [content.fault for content in contents],
    )


def _remove(file: JournalFile, fault: str) -> None:
    """A journal with bytes that are not sealed is kept for people to look at."""
    if fault and file.path.exists():
        set_aside(file.path, fault)
    else:
        file.path.unlink(missing_ok=True)
