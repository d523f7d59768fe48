"""Decides which pictures and problems are new to a source. No picture is touched here: what is held stands in a file."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lgt_assets.identity import digest
from lgt_assets.sources.holdings import HoldingsFile, Row
from lgt_assets.sources.records import Picture, RowRejected, SourceProblem
from lgt_assets.sources.upright import UPRIGHT


@dataclass(frozen=True)
class Known:
    """The source holds this very picture already, with the same caption and boxes; or it was taken down, and stays away."""

    sha256: str
    removed: bool = False


@dataclass
class Admission:
    """One pass over the rows of a source, held against what its shards hold.

    Of rows with one id, or with one content, the first valid one is held. A row of a picture that is held is known when the
    pass meets it for the first time, and a duplicate from then on, so a second pass over the same rows comes to the same
    problems as the first.

    What is admitted waits in memory until its shard is written, at most one shard's rows; everything else is in ``holdings``.
    """

    holdings: HoldingsFile
    _pictures: dict[str, Picture] = field(default_factory=dict)
    _sha256_by_id: dict[str, str] = field(default_factory=dict)
    _problems: dict[str, int] = field(default_factory=dict)

    def judge(self, picture: Picture) -> Picture | Known | SourceProblem:
        """The picture itself where it is new (it is held from now on), or what else it is."""
        record, sha256 = picture.record, picture.sha256
        if self.holdings.is_removed(sha256):  # whatever the row says of it
            return Known(sha256, removed=True)
        try:
            held = self._held(sha256)
            if held is not None:
                self._check_held(picture, *held)
                self.holdings.meet(sha256)
                return Known(sha256)
            if record.external_id is not None and self._is_taken(record.external_id):
                raise RowRejected(
                    "duplicate_id",
                    "id",
                    f"id {record.external_id!r} names another picture of this source; give this one an id of its own",
                )
        except RowRejected as rejected:
            return rejected.problem(record.file, record.row, record.raw)
        self._pictures[sha256] = picture
        if record.external_id is not None:
            self._sha256_by_id[record.external_id] = sha256
        self.holdings.meet(sha256)
        return picture

    def is_new(self, problem: SourceProblem) -> bool:
        """Whether no shard holds this problem yet; the n-th equal row of a file is the n-th occurrence of its problem."""
        key = problem_key(problem)
        occurrence = self.holdings.occur(key)
        held = self.holdings.problem_count(key) + self._problems.get(key, 0)
        if occurrence <= held:
            return False
        self._problems[key] = self._problems.get(key, 0) + 1
        return True

    def settle(self, shard: str, rows: Iterable[Picture | SourceProblem], stamp: tuple[int, int]) -> None:
        """Take ``rows`` for held: they are in ``shard``, whose file, of this ``stamp`` (size, time), was written."""
        rows = list(rows)
        self.holdings.remember(shard, stamp, pictures_of(rows), problems_of(rows))
        for row in rows:
            if isinstance(row, Picture):
                self._pictures.pop(row.sha256, None)
                self._sha256_by_id.pop(row.record.external_id or "", None)
            elif (left := self._problems.get(problem_key(row), 0) - 1) > 0:
                self._problems[problem_key(row)] = left
            else:
                self._problems.pop(problem_key(row), None)

    def _held(self, sha256: str) -> tuple[str | None, str, bool] | None:
        """Of a picture that is held, or admitted and not written yet: id, content key, and whether its boxes are upright."""
        waiting = self._pictures.get(sha256)
        if waiting is not None:
            return waiting.record.external_id, content_key(waiting), waiting.record.boxes_upright
        return self.holdings.picture(sha256)

    def _is_taken(self, external_id: str) -> bool:
        return external_id in self._sha256_by_id or self.holdings.has_id(external_id)

    def _check_held(self, picture: Picture, held_id: str | None, held_content: str, held_upright: bool) -> None:
        external_id, met = picture.record.external_id, self.holdings.is_met(picture.sha256)
        if external_id is not None and external_id == held_id and met:
            raise RowRejected(
                "duplicate_id", "id", f"id {external_id!r} was seen before with the same picture; remove this row"
            )
        if met or None not in (held_id, external_id) and held_id != external_id:
            name = f" under id {held_id!r}" if held_id is not None else ""
            raise RowRejected("duplicate_image", "image", f"this source holds the same picture{name}; remove this row")
        if content_key(picture) != held_content:
            raise RowRejected(
                "changed_row",
                "caption",
                "this source holds the picture with another caption, boxes or licence, and shards never change; "
                "add the new rows as a source with a new name",
            )
        # The same numbers are another box where EXIF turns the picture.
        if picture.record.boxes and picture.orientation != UPRIGHT and picture.record.boxes_upright != held_upright:
            raise RowRejected(
                "changed_row",
                "boxes",
                f"this source holds the picture with boxes in {'upright' if held_upright else 'stored'} pixels, and shards "
                "never change; give box_pixels as before, or add the rows as a source with a new name",
            )


def pictures_of(rows: Iterable[Picture | SourceProblem]) -> list[Row]:
    """What the holdings' file remembers of the pictures among ``rows``."""
    return [
        (
            row.sha256,
            row.record.external_id,
            content_key(row),
            row.width,
            row.height,
            row.inspected,
            row.record.boxes_upright,
        )
        for row in rows
        if isinstance(row, Picture)
    ]


def problems_of(rows: Iterable[Picture | SourceProblem]) -> list[str]:
    """Keys of the problems among ``rows``, one for each occurrence."""
    return [problem_key(row) for row in rows if isinstance(row, SourceProblem)]


def content_key(picture: Picture) -> str:
    """What a row says about its picture, as a digest."""
    record = picture.record
    boxes = [[box.label, box.phrase, box.x0, box.y0, box.x1, box.y1, box.score] for box in record.boxes]
    return digest(record.caption, boxes, record.license, record.attribution)


def problem_key(problem: SourceProblem) -> str:
    """What makes two problems equal: where the file lies in a row's order does not."""
    return digest(problem.file, problem.reason, problem.field, problem.raw)
