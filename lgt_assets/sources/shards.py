"""Cuts a source into immutable shards, and adds to it later: old shards never change, new pictures make new ones."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.errors import SourceError
from lgt_assets.sources.admission import Holdings, Known
from lgt_assets.sources.files import locked, remove_leftovers
from lgt_assets.sources.inspection import inspect
from lgt_assets.sources.records import Picture, Source, SourceProblem
from lgt_assets.sources.registry import open_source
from lgt_assets.sources.rows import shard_rows
from lgt_assets.sources.shard_files import (
    check_name,
    manifest_stamp,
    pictures_folder,
    read_header,
    read_shard,
    record_source,
    recorded_kind,
    shard_names,
    source_folder,
    source_lock,
    write_shard,
)

__all__ = ["Addition", "SourceSummary", "add_source", "list_shards", "list_sources", "read_shard", "shard_rows"]

SHARD_SIZE = 64
# A file of nothing but bad rows is cut as well, so that no shard grows without bound.
MAX_PROBLEMS = 10_000

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Addition:
    """What one call of :func:`add_source` did: shards written, and pictures new, bad (rows), and held before."""

    new_shards: tuple[str, ...]
    images_added: int
    problems_added: int
    images_known: int


@dataclass(frozen=True)
class SourceSummary:
    """A source at a glance: its shards in order, and how many pictures and bad rows they hold."""

    name: str
    kind: str
    shards: tuple[str, ...]
    images: int
    problems: int


def add_source(
    state: Path,
    name: str,
    kind: str,
    options: Mapping[str, object],
    *,
    shard_size: int = SHARD_SIZE,
    progress: Progress | None = None,
) -> Addition:
    """Read a source and cut what is new in it into shards of ``shard_size`` pictures below ``state/sources/NAME``.

    Bad rows are recorded in the shards, never raised; where only they are new, they make a shard without pictures. Adding again
    adds nothing twice. The options may differ from last time (more scenes, another manifest), the kind may not. Others
    who add to the same source meanwhile wait; after a kill, adding again goes on after the last whole shard.

    Args:
        state: the state folder.
        name: the source's name, ``[a-z0-9]+(-[a-z0-9]+)*``; its shards are ``NAME-00000``, ``NAME-00001``, ...
        kind: see :data:`lgt_assets.sources.registry.SOURCES`.
        options: of that kind.
        shard_size: most pictures in a shard.
        progress: called after every row with the rows read so far and their expected number, if known.

    Raises:
        SourceError: the name, kind or options are wrong, or the source as a whole cannot be read. Shards written before that
            stay.
    """
    check_name(name)
    if shard_size < 1:
        raise SourceError(f"a shard holds at least one picture, not {shard_size}")
    source = open_source(kind, options)
    recorded = source.options.model_dump(mode="json")
    with locked(source_lock(state, name)):
        before = recorded_kind(state, name)
        if before not in (None, kind):
            raise SourceError(f"source {name} is of kind {before}; add {kind} under another name")
        for folder in (source_folder(state, name), pictures_folder(state, name)):
            remove_leftovers(folder)
        stamp = manifest_stamp(recorded)  # before reading: what is appended meanwhile is a change
        holdings, next_number = _holdings(state, name)
        counts = {"images_added": 0, "problems_added": 0, "images_known": 0}
        shards = []
        for rows in _cut(_new_rows(source, pictures_folder(state, name), holdings, counts, progress), shard_size):
            if not shards:
                record_source(state, name, kind, recorded, shard_size)
            shards.append(write_shard(state, name, next_number + len(shards), rows))
        record_source(state, name, kind, recorded, shard_size, stamp)
    return Addition(tuple(shards), **counts)


def list_sources(state: Path) -> list[SourceSummary]:
    """All sources that have been added, by name.

    Raises:
        SourceError: a file was damaged.
    """
    summaries = []
    for path in sorted((state / "sources").glob("*/source.yaml")):
        name = path.parent.name
        shards = tuple(shard_names(state, name))
        headers = [read_header(state, shard) for shard in shards]
        images, problems = sum(header[0] for header in headers), sum(header[1] for header in headers)
        summaries.append(SourceSummary(name, recorded_kind(state, name) or "", shards, images, problems))
    return summaries


def list_shards(state: Path) -> list[str]:
    """All shards of all sources, by source and number: what Dagster's partitions should be."""
    return [shard for summary in list_sources(state) for shard in summary.shards]


def _holdings(state: Path, name: str) -> tuple[Holdings, int]:
    holdings, names = Holdings(), shard_names(state, name)
    problems: list[SourceProblem] = []
    for shard in names:
        content = read_shard(state, shard)
        holdings.remember(content.pictures, ())
        problems += content.problems
    holdings.remember((), problems)
    return holdings, int(names[-1][-5:]) + 1 if names else 0


def _new_rows(
    source: Source, pictures: Path, holdings: Holdings, counts: dict[str, int], progress: Progress | None
) -> Iterator[Picture | SourceProblem]:
    total = source.expected()
    for done, row in enumerate(source.records(pictures), start=1):
        judged = row if isinstance(row, SourceProblem) else inspect(row, holdings.sizes)
        if isinstance(judged, Picture):
            judged = holdings.judge(judged)
        if isinstance(judged, Known):
            counts["images_known"] += 1
        elif isinstance(judged, Picture):
            counts["images_added"] += 1
            yield judged
        elif holdings.is_new(judged):
            counts["problems_added"] += 1
            yield judged
        if progress is not None:
            progress(done, total)


def _cut(rows: Iterator[Picture | SourceProblem], shard_size: int) -> Iterator[list[Picture | SourceProblem]]:
    """Slices of at most ``shard_size`` pictures, with the problems between and after them; none is empty.

    A full slice waits for the next picture: problems at the end of a file go with the last pictures, not into a shard alone.
    """
    held: list[Picture | SourceProblem] = []
    pictures = 0
    for row in rows:
        is_picture = isinstance(row, Picture)
        if pictures + is_picture > shard_size or len(held) - pictures >= MAX_PROBLEMS:
            yield held
            held, pictures = [], 0
        held.append(row)
        pictures += is_picture
    if held:
        yield held
