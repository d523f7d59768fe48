"""Writing the rows of a release in one format: read from the pinned tables, ordered by hash, turned, written; flat in memory."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from lgt_assets.release.configs import CONFIGS, KEYS, SPLITS, Config, Draw, drawn_ids
from lgt_assets.release.content import CONTENT, ContentDigest, with_content
from lgt_assets.release.delivered_pictures import Delivered, with_delivered
from lgt_assets.release.formats.base import NAMED, Delivery, Format, Rows
from lgt_assets.release.hash_order import HashOrder
from lgt_assets.release.picture_bytes import PARTS, PictureBytes
from lgt_assets.release.pinned_rows import PICTURE, SPLIT, PinnedRows
from lgt_assets.release.reading_ahead import reading_ahead
from lgt_assets.release.row_files import RowFiles, row_files
from lgt_assets.schemas import frame

_HELD_BATCHES = 8  # to be spilled: reading goes on while much is written at once
Progress = Callable[[str, int, int], None]  # what is done, rows done, rows in all


@dataclass(frozen=True)
class Written:
    """One config and split: its rows, and where they are.

    Attributes:
        config, split: which.
        rows: how many.
        content: the digest of what they say, see :mod:`lgt_assets.release.content`.
        files: relative paths, in order; none where there are no rows.
        bytes: of those files.
        features: of every column, see :mod:`lgt_assets.release.hub_features`; empty where there are no rows.
        sha256s: by relative path, of the files that were hashed while they were written.
    """

    config: str
    split: str
    rows: int
    content: str
    files: tuple[str, ...]
    bytes: int
    features: dict[str, Any]
    sha256s: Mapping[str, str] = field(default_factory=dict)


def hashed(written: Sequence[Written]) -> dict[str, str]:
    """sha256 by relative path of all files that were hashed while they were written."""
    return {name: sha256 for one in written for name, sha256 in one.sha256s.items()}


@dataclass(frozen=True)
class Wanted:
    """How a release is written.

    Attributes:
        form: the format.
        pictures: how pictures are given.
        draw: how many rows of which config.
        configs: which of them; those that the format has no columns for are left out.
    """

    form: Format
    pictures: Delivery
    draw: Draw
    configs: Sequence[str] = tuple(CONFIGS)

    def of(self, table: str) -> dict[str, Config]:
        """Configs that take their rows from ``table``."""
        return {
            name: CONFIGS[name]
            for name in self.configs
            if CONFIGS[name].table == table and CONFIGS[name].task in self.form.columns
        }


class _Output:
    """The rows of one config and split on their way to files."""

    def __init__(self, folder: Path, wanted: Wanted, config: str, split: str, drawn: pl.Series | None):
        self._config, self._split, self._drawn = config, split, drawn
        self._form = wanted.form
        self._files: RowFiles = row_files(folder, wanted.form, config, split)
        self._folder, self._content = folder, ContentDigest()
        self._numbers: list[int] = []  # of the rows taken, among all

    def take(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Turn those of the rows that belong here, and give them back; they are written as their pictures come."""
        config = CONFIGS[self._config]
        belongs = pl.col("stage").is_in(config.stages) & (pl.col("split") == self._split)
        if self._drawn is not None:
            belongs &= pl.col(KEYS[config.table]).is_in(self._drawn.implode())
        own = rows.select(belongs).to_series()
        chosen, self._numbers = rows.filter(own), own.arg_true().to_list()
        if chosen.height:
            self._files.take(self._turned(chosen))
            self._content.add(chosen[CONTENT])
        return chosen

    def _turned(self, rows: pl.DataFrame) -> pl.DataFrame:
        task = CONFIGS[self._config].task
        turned = self._form.columns[task](Rows(rows.drop(CONTENT), task, self._split, self._content.rows))
        if turned.height != rows.height:
            raise AssertionError(f"format {self._form.name} made {turned.height} rows of {rows.height}")
        return turned

    def write(self, some: Delivered) -> None:
        """Write those of some rows that belong here."""
        count = bisect_left(self._numbers, some.end) - bisect_left(self._numbers, some.start)
        if count:
            self._files.write(count, some.contents, some.first)

    def abandon(self) -> None:
        """Let go of an unfinished file."""
        self._files.abandon()

    def close(self, empty: pl.DataFrame) -> Written:
        if not self._content.rows and self._form.pictures == NAMED:
            self._files.take(self._turned(empty))  # whoever looks a row up finds a file for every config
            self._files.write(0)
        paths = self._files.close()
        return Written(
            self._config, self._split, self._content.rows, self._content.hexdigest(),
            tuple(path.relative_to(self._folder).as_posix() for path in paths), sum(path.stat().st_size for path in paths),
            dict(self._files.features),
            {path.relative_to(self._folder).as_posix(): sha256 for path, sha256 in self._files.sha256s.items()},
        )  # fmt: skip


def write_rows(
    folder: Path, scratch: Path, pinned: PinnedRows, wanted: Wanted, pictures: PictureBytes,
    *, progress: Progress, look: Callable[[str, pl.DataFrame], None] | None = None,
) -> list[Written]:  # fmt: skip
    """Write all configs' files below ``folder``.

    Args:
        folder: exists.
        scratch: for what is sorted on disk, as large as the tables; must not exist, and is left to the caller.
        pinned: the rows.
        wanted: in which format.
        pictures: reads them.
        progress: told now and then.
        look: is shown the rows of every config as they pass, with its name.

    Raises:
        LgtError: a picture or a data file is gone, or fewer rows are there than are to be drawn.
    """
    written: list[Written] = []
    for table, key in KEYS.items():
        configs = wanted.of(table)
        if not configs:
            continue
        total = pinned.count(table)
        with HashOrder(scratch / table, key, SPLIT, total) as order, ExitStack() as unfinished:
            ids = _spill(
                pinned,
                table,
                order,
                {name: one for name, one in configs.items() if name in wanted.draw.sizes},
                progress,
            )
            drawn = {name: drawn_ids(name, found, wanted.draw) for name, found in ids.items()}
            outputs = {
                (name, split): _Output(folder, wanted, name, split, drawn.get(name) if split == SPLITS[0] else None)
                for name in configs
                for split in SPLITS
            }
            for output in outputs.values():
                unfinished.callback(output.abandon)
            done = 0
            for some in reading_ahead(_delivered(order, wanted, folder, pictures), held=PARTS):
                for (name, _split), output in outputs.items():
                    if some.start == 0:
                        chosen = output.take(some.rows)
                        if look is not None and chosen.height:
                            look(name, chosen)
                    output.write(some)
                done += some.end - some.start
                progress(f"writing {table}", done, total)
            empty = _empty(table)
            written += [output.close(empty) for output in outputs.values()]
    return sorted(written, key=lambda one: (list(CONFIGS).index(one.config), SPLITS.index(one.split)))


def _delivered(order: HashOrder, wanted: Wanted, folder: Path, pictures: PictureBytes) -> Iterator[Delivered]:
    """All rows, some at a time, with their content and pictures: in order within a split, whose pictures thus need no copying."""
    for bucket in reading_ahead(map(with_content, order.buckets())):
        yield from with_delivered(bucket, wanted.pictures, folder, pictures)


def _spill(
    pinned: PinnedRows, table: str, order: HashOrder, sized: dict[str, Config], progress: Progress
) -> dict[str, list[str]]:
    """Give all rows of a table to ``order``; the ids of the train rows of configs that have a size."""
    ids: dict[str, list[str]] = {name: [] for name in sized}
    done, total = 0, pinned.count(table)
    for batch in reading_ahead(pinned.batches(table), held=_HELD_BATCHES):
        order.add(batch)
        for name, config in sized.items():
            train = pl.col("stage").is_in(config.stages) & (pl.col("split") == SPLITS[0])
            ids[name] += batch.filter(train)[KEYS[table]].to_list()
        done += batch.height
        progress(f"reading {table}", done, total)
    return ids


def _empty(table: str) -> pl.DataFrame:
    """No rows, with the columns that rows have on their way."""
    rows = frame(table, []).with_columns(
        pl.lit([], dtype=pl.List(PICTURE)).alias("pictures"), pl.lit("").alias(CONTENT),
        *(pl.lit(None).alias(name) for name in ("split", "width", "height")),
    )  # fmt: skip
    return rows.clear()
