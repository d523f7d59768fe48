"""Decides which pictures and problems are new to a source. Nothing here touches a file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lgt_assets.identity import digest
from lgt_assets.sources.records import Picture, RowRejected, SourceProblem


@dataclass(frozen=True)
class Known:
    """The source holds this very picture already, with the same caption and boxes."""

    sha256: str


@dataclass
class Holdings:
    """What a source holds, and what one pass over its rows has met so far.

    Of rows with one id, or with one content, the first valid one is held. A row of a picture that is held is known when the
    pass meets it for the first time, and a duplicate from then on, so a second pass over the same rows comes to the same
    problems as the first.
    """

    _pictures: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    _sha256_by_id: dict[str, str] = field(default_factory=dict)
    _problems: set[str] = field(default_factory=set)
    _met: set[str] = field(default_factory=set)
    _occurrences: Counter = field(default_factory=Counter)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def remember(self, pictures: Iterable[Picture], problems: Iterable[SourceProblem]) -> None:
        """Take in what shards hold. Give the shards in order."""
        for picture in pictures:
            self._hold(picture)
        counts: Counter = Counter()
        for problem in problems:
            key = _problem_key(problem)
            # Shards hold each occurrence once, so the n-th equal problem in them is the n-th occurrence.
            while digest(key, counts[key]) in self._problems:
                counts[key] += 1
            self._problems.add(digest(key, counts[key]))

    def judge(self, picture: Picture) -> Picture | Known | SourceProblem:
        """The picture itself where it is new (it is held from now on), or what else it is."""
        record, sha256 = picture.record, picture.sha256
        try:
            if sha256 in self._pictures:
                self._check_held(picture)
                self._met.add(sha256)
                return Known(sha256)
            if record.external_id in self._sha256_by_id:
                raise RowRejected(
                    "duplicate_id",
                    "id",
                    f"id {record.external_id!r} names another picture of this source; give this one an id of its own",
                )
        except RowRejected as rejected:
            return rejected.problem(record.file, record.row, record.raw)
        self._hold(picture)
        self._met.add(sha256)
        return picture

    def is_new(self, problem: SourceProblem) -> bool:
        """Whether no shard holds this problem yet; the n-th equal row of a file is the n-th occurrence of its problem."""
        key = _problem_key(problem)
        occurrence = digest(key, self._occurrences[key])
        self._occurrences[key] += 1
        if occurrence in self._problems:
            return False
        self._problems.add(occurrence)
        return True

    def _hold(self, picture: Picture) -> None:
        external_id = picture.record.external_id
        self._pictures[picture.sha256] = (external_id, _content_key(picture))
        self.sizes[picture.sha256] = (picture.width, picture.height)
        if external_id is not None:
            self._sha256_by_id[external_id] = picture.sha256

    def _check_held(self, picture: Picture) -> None:
        held_id, held_content = self._pictures[picture.sha256]
        external_id = picture.record.external_id
        if external_id is not None and external_id == held_id and picture.sha256 in self._met:
            raise RowRejected(
                "duplicate_id", "id", f"id {external_id!r} was seen before with the same picture; remove this row"
            )
        if picture.sha256 in self._met or None not in (held_id, external_id) and held_id != external_id:
            name = f" under id {held_id!r}" if held_id is not None else ""
            raise RowRejected("duplicate_image", "image", f"this source holds the same picture{name}; remove this row")
        if _content_key(picture) != held_content:
            raise RowRejected(
                "changed_row",
                "caption",
                "this source holds the picture with another caption, boxes or licence, and shards never change; "
                "add the new rows as a source with a new name",
            )


def _content_key(picture: Picture) -> str:
    record = picture.record
    boxes = [[box.label, box.phrase, box.x0, box.y0, box.x1, box.y1, box.score] for box in record.boxes]
    return digest(record.caption, boxes, record.license, record.attribution)


def _problem_key(problem: SourceProblem) -> str:
    return digest(problem.file, problem.reason, problem.field, problem.raw)
