"""Everything that a page says of a row or a completion, read from one shard."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lgt_assets.errors import NotFoundError
from lgt_assets.lineage.family import Family, Member
from lgt_assets.lineage.reading import image_of, read_family, read_generations, read_row, read_rows
from lgt_assets.lineage.releases import InRelease, releases_with
from lgt_assets.lineage.subject import Subject, keys_of


@dataclass(frozen=True)
class Dossier:
    """What is known.

    Attributes:
        subject: what was asked for.
        family: all rows of the picture, one line each.
        rows: rows on the page by id, all columns, in the order of tables and of data; rejections apart.
        rejected: rejections of what the rows were made from, all columns.
        completions: completions that the rows and rejections came from or were judged by, by key.
        missing_keys: keys that rows name and no completion has.
        releases: what releases hold of the rows.
    """

    subject: Subject
    family: Family
    rows: dict[str, dict]
    rejected: dict[str, dict]
    completions: dict[str, dict]
    missing_keys: tuple[str, ...] = ()
    releases: list[InRelease] = field(default_factory=list)

    @property
    def image(self) -> dict | None:
        """The row of the picture."""
        return next((row for row_id, row in self.rows.items() if self.table_of(row_id) == "images"), None)

    @property
    def boxes(self) -> list[Member]:
        """All boxes of the picture."""
        return [member for member in self.family.members.values() if member.table == "grounded_objects"]

    @property
    def focus(self) -> frozenset[str]:
        """Boxes that the subject is about, or is."""
        ids = (self.subject.name,) if self.subject.kind == "row" else self.subject.row_ids
        about = set(ids).union(*(self.family.ancestors(row_id) for row_id in ids))
        return frozenset(member.row_id for member in self.boxes if member.row_id in about)

    def table_of(self, row_id: str) -> str:
        """Table of a row on the page."""
        return self.family.members[row_id].table


def read_dossier(subject: Subject) -> Dossier:
    """Read it.

    Raises:
        NotFoundError: the subject is a whole shard.
    """
    if subject.kind == "shard":
        raise NotFoundError(
            f"{subject.name} is a shard: a page is about a row, a picture or a completion; name one of its pictures"
        )
    tables = subject.tables
    main = [subject.name] if subject.kind == "row" else list(subject.row_ids)
    family = _family_of(subject, main)
    around = set().union(*(family.around(row_id) for row_id in main))
    near = {
        row_id
        for row_id, member in family.members.items()
        if member.table == "rejections" and not around.isdisjoint(family.named[row_id])
    }
    read = read_rows(tables, [row_id for row_id in family.members if row_id in around | near])
    rows = {row_id: row for row_id, row in read.items() if family.members[row_id].table != "rejections"}
    refused = {row_id: row for row_id, row in read.items() if row_id not in rows}
    keys = [*([subject.name] if subject.kind == "completion" else []), *keys_of(rows), *keys_of(refused)]
    completions = read_generations(tables, keys)
    ordered = {key: completions[key] for key in dict.fromkeys(keys) if key in completions}
    dossier = Dossier(
        subject, family, rows, refused, ordered, tuple(key for key in dict.fromkeys(keys) if key not in completions)
    )
    split = dossier.image["split"] if dossier.image else None
    dossier.releases.extend(releases_with(tables.folder, _by_table(dossier, rows), split))
    return dossier


def _family_of(subject: Subject, main: Iterable[str]) -> Family:
    """The families of all pictures that the subject is about; a completion's rows mostly share one."""
    merged, seen = Family(), set()
    for row_id in main:
        if row_id in merged.members:
            continue
        row = subject.row if subject.kind == "row" else read_row(subject.tables, row_id)
        picture = image_of(subject.tables, row_id, row)
        if picture is not None and picture in seen:
            continue
        seen.add(picture)
        family = read_family(subject.tables, row_id, row)
        merged.members.update(family.members)
        merged.named.update(family.named)
    return merged


def _by_table(dossier: Dossier, row_ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row_id in row_ids:
        found.setdefault(dossier.table_of(row_id), []).append(row_id)
    return found
