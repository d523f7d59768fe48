"""What a source yields: one record a picture, or one problem a bad row. Nothing here touches a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class SourceBox:
    """A labelled box: left, top, right and bottom edge in pixels from the picture's top left corner.

    ``phrase`` are the words of the caption that the box grounds; ``score`` is the detector's confidence in [0, 1].
    """

    label: str
    phrase: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0


@dataclass(frozen=True)
class SourceRecord:
    """One picture as its source describes it, not yet looked at.

    Attributes:
        file: where the row came from, for people: a manifest's path, or the kind of source.
        row: which row of it, counted from 1 (in JSON Lines: the line).
        external_id: the id that the source gives the picture, if any.
        path: the picture's file. It is referenced where it lies and never rewritten. Of a picture that lies in a container or
            behind an address, only what messages call it, until its bytes are kept below the state folder.
        caption: dense caption; None where the source has none, and ``images`` has one generated or rejects the picture.
        caption_source: who wrote it: ``human``, ``rendered``, ``manifest`` (not said), or a name.
        boxes: labelled boxes; there may be none.
        box_source: who drew them.
        license: licence of the picture.
        attribution: credit that the licence asks for, if any.
        raw: the row's text, kept for the rejection should the picture turn out bad.
        expected_sha256: the only content that caption and boxes are true of, where the source knows it.
        boxes_upright: whether boxes are in pixels of the picture as it is shown, not as it is stored. The two differ where
            EXIF turns it; the tables hold upright ones.
        origin: the address, or the container and its member, that the picture was taken from; None for a file of its own.
        content: the bytes of a picture that is no file of its own, or what gets them (it raises RowRejected).
        declared_size: width and height in pixels as the row says. Together with ``expected_sha256`` it lets a picture be
            registered unopened; both are checked when its shard is made.
    """

    file: str
    row: int
    external_id: str | None
    path: Path
    caption: str | None
    caption_source: str
    boxes: tuple[SourceBox, ...]
    box_source: str
    license: str
    attribution: str | None = None
    raw: str = ""
    expected_sha256: str | None = None
    boxes_upright: bool = False
    origin: str | None = None
    content: bytes | Callable[[], bytes] | None = None
    declared_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class SourceProblem:
    """A row that cannot be used: where it is, the field at fault, a countable reason, and what to do about it."""

    file: str
    row: int
    field: str
    reason: str
    detail: str
    raw: str


@dataclass(frozen=True)
class Picture:
    """A record whose file was found whole: its content's sha256, and its size in pixels as stored (EXIF is not applied).

    ``orientation`` is EXIF's, 1 where it says none; it is looked up whenever the file is read, and not kept in shards.
    ``inspected`` is False where nobody has opened the file yet and all this is what the row declares.
    """

    record: SourceRecord
    sha256: str
    width: int
    height: int
    orientation: int = 1
    inspected: bool = True


class RowRejected(Exception):
    """Raised while a row is judged; whoever reads the row turns it into a :class:`SourceProblem`."""

    def __init__(self, reason: str, field: str, detail: str):
        super().__init__(detail)
        self.reason, self.field, self.detail = reason, field, detail

    def problem(self, file: str, row: int, raw: str) -> SourceProblem:
        """The problem of the row that was being judged."""
        return SourceProblem(storable(file), row, self.field, self.reason, storable(self.detail), storable(raw))


class SourceOptions(BaseModel):
    """Base of every kind's options: an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Protocol):
    """A kind of source. ``Options`` says what it can be told."""

    kind: ClassVar[str]
    Options: ClassVar[type[SourceOptions]]

    def expected(self) -> int | None:
        """How many rows there will be, where that is known beforehand."""
        ...

    def records(self, pictures: Path) -> Iterator[SourceRecord | SourceProblem]:
        """Yield the rows in order, lazily. Kinds that make their pictures write them below ``pictures``.

        Raises:
            SourceError: the source as a whole cannot be read.
        """
        ...

    def close(self) -> None:
        """Free what getting the pictures took, once the last one was got; most kinds hold nothing."""


def storable(text: str) -> str:
    """``text`` with what UTF-8 cannot hold (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
