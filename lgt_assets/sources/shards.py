"""Cuts a source into immutable shards, and adds to it later: old shards never change, new pictures make new ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from lgt_assets.errors import SourceError
from lgt_assets.sources.admission import Admission, Known, pictures_of, problems_of
from lgt_assets.sources.files import locked, remove_leftovers, sync_files
from lgt_assets.sources.holdings import HoldingsFile
from lgt_assets.sources.kept_pictures import keep_picture, kept_path, remove_unfinished
from lgt_assets.sources.ordered_inspection import in_order
from lgt_assets.sources.records import Picture, Source, SourceProblem
from lgt_assets.sources.registry import open_source
from lgt_assets.sources.rows import shard_rows
from lgt_assets.sources.shard_files import (
    check_name,
    holdings_path,
    manifest_stamp,
    pictures_folder,
    read_header,
    read_shard,
    record_source,
    recorded_kind,
    shard_names,
    shard_stamp,
    shard_stamps,
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
    """What one call of :func:`add_source` did: shards written, and pictures new, bad (rows), and held before.

    ``without_caption`` of the new pictures have no caption in the source.
    """

    new_shards: tuple[str, ...]
    images_added: int
    problems_added: int
    images_known: int
    without_caption: int = 0


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

    Rows stream through: memory does not grow with their number. Every picture is opened once, in threads, since its id and its
    split come from its sha256; one that was opened before and has the same size and time is not opened again, and one whose row
    declares sha256 and size is not opened before its shard is made. Pictures that lie in containers or behind addresses are
    kept byte for byte below ``state/images/NAME``, each before the shard that names it.

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
        folder = pictures_folder(state, name)
        remove_leftovers(source_folder(state, name))
        remove_unfinished(folder)
        stamp = manifest_stamp(kind, recorded)  # before reading: what is appended meanwhile is a change
        counts = {"images_added": 0, "problems_added": 0, "images_known": 0, "without_caption": 0}
        shards: list[str] = []
        with HoldingsFile(holdings_path(state, name), shard_stamps(state, name)) as holdings:
            next_number = _remember(state, name, holdings)
            admission = Admission(holdings)
            with closing(_new_rows(source, folder, admission, counts, progress)) as rows:
                for content in _cut(rows, shard_size):
                    if not shards:
                        record_source(state, name, kind, recorded, shard_size)
                    sync_files(
                        row.record.path for row in content if isinstance(row, Picture) and row.record.origin is not None
                    )  # fmt: skip
                    shards.append(write_shard(state, name, next_number + len(shards), content))
                    admission.settle(shards[-1], content, shard_stamp(state, shards[-1]))
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


def _remember(state: Path, name: str, holdings: HoldingsFile) -> int:
    """Take shards that ``holdings`` does not know into it, one at a time; returns the next shard's number."""
    for shard in holdings.missing():
        content = read_shard(state, shard)
        rows = [*content.pictures, *content.problems]
        problems = [*problems_of(rows), *content.removed_problems]
        holdings.remember(shard, shard_stamp(state, shard), pictures_of(rows), problems, content.removed)
    names = shard_names(state, name)
    return int(names[-1][-5:]) + 1 if names else 0


def _new_rows(
    source: Source, pictures: Path, admission: Admission, counts: dict[str, int], progress: Progress | None
) -> Iterator[Picture | SourceProblem]:
    total = source.expected()
    outcomes = in_order(
        source.records(pictures), admission.holdings, lambda sha256: kept_path(pictures, sha256).is_file()
    )
    with closing(source), closing(outcomes):
        for done, looked_at in enumerate(outcomes, start=1):
            judged = looked_at.row
            if isinstance(judged, Picture):
                path, judged = judged.record.path, admission.judge(judged)
                if isinstance(judged, Known) and judged.removed and path.is_relative_to(pictures):
                    path.unlink(missing_ok=True)  # the source has just made it anew
            if isinstance(judged, Known):
                counts["images_known"] += 1
                if looked_at.content is not None and admission.holdings.picture(judged.sha256) is not None:
                    keep_picture(pictures, judged.sha256, looked_at.content)  # where it was lost since
            elif isinstance(judged, Picture):
                counts["images_added"] += 1
                counts["without_caption"] += judged.record.caption is None
                if looked_at.content is not None:
                    kept = keep_picture(pictures, judged.sha256, looked_at.content)
                    judged = replace(judged, record=replace(judged.record, path=kept, content=None))
                yield judged
            elif admission.is_new(judged):
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
