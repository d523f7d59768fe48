"""What a format is: a pure function from a release's rows to a trainer's columns, and where they go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from lgt_assets.release.configs import Task

EMBEDDED, FILES, REFERENCED, NAMED = "embedded", "files", "referenced", "named"
Delivery = Literal["embedded", "files", "referenced", "named"]


@dataclass(frozen=True)
class Rows:
    """Some rows of one config and split.

    Attributes:
        frame: rows of the config's table as :meth:`lgt_assets.release.pinned_rows.PinnedRows.batches` gives them; the column
            ``pictures`` holds what is written for each picture: a struct of ``bytes`` and ``path``, or a path.
        task: ``sft``, ``dpo`` or ``rl``.
        split: ``train`` or ``validation``.
        start: how many rows of this config and split came before.
    """

    frame: pl.DataFrame
    task: Task
    split: str
    start: int = 0


@dataclass(frozen=True)
class Format:
    """One trainer's format.

    Attributes:
        name: as `lgt export --format` takes it.
        trainers: who reads it; for people.
        columns: the trainer's columns of some rows: as many rows come out as go in, in their order. One function a task.
        file: path of the files of a config and split, with ``{config}``, ``{split}`` and, where large ones are cut into parts,
            ``{part}``; its suffix says what is written.
        pictures: how pictures are given: ``embedded`` as bytes, as ``files`` beside, ``referenced`` where they lie, or only
            ``named`` by their ids.
        allowed: what else a user may ask for.
        hub: whether `datasets` is told in the parquet schema which columns are pictures (it decodes them then).
    """

    name: str
    trainers: str
    columns: Mapping[Task, Callable[[Rows], pl.DataFrame]]
    file: str
    pictures: Delivery
    allowed: tuple[Delivery, ...] = ()
    hub: bool = False
    image_columns: tuple[str, ...] = field(default=("images",))
