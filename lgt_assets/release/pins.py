"""What a row of the table ``release`` says: which rows a release consists of, and all that its card tells of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import NotFoundError, ReleaseError
from lgt_assets.identity import digest
from lgt_assets.release.configs import Draw
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.release.pinned_rows import PinnedRows

TABLE, EXCLUSIONS = "release", "release_exclusions"
LATEST = "latest"


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        release_id: the hash of what it holds and tells.
        inputs: Delta version by table.
        shards: those in it.
        draw: how many rows of which config.
        contents: by (config, split): rows, and the digest of what they say.
        facts: what the card tells, as :func:`lgt_assets.release.facts.release_facts` gives it.
        libraries: versions under which it was first written.
        excluded: ``row_id``, ``table``, ``reason`` and ``detail`` of what is left out.
    """

    release_id: str
    inputs: Mapping[str, int]
    shards: Sequence[str]
    draw: Draw
    contents: Mapping[tuple[str, str], tuple[int, str]]
    facts: Mapping
    libraries: Mapping[str, str]
    excluded: pl.DataFrame = field(repr=False)

    def rows(self, folder: TableFolder) -> PinnedRows:
        """Its rows, at the pinned versions.

        Raises:
            ReleaseError: they are no longer there.
        """
        try:
            return PinnedRows(folder, self.inputs, self.shards, self.excluded)
        except NotFoundError as error:
            raise ReleaseError(f"release {self.release_id} cannot be written again: {error}") from error


def release_id_of(contents: Mapping[tuple[str, str], tuple[int, str]], facts: Mapping) -> str:
    """16 hexadecimal digits: equal rows of all configs and an equal card, equal release, on every machine."""
    listed = [[config, split, *content] for (config, split), content in sorted(contents.items())]
    return digest(listed, facts)[:16]


def read_release(folder: TableFolder, name: str = LATEST) -> Release:
    """A release by its id, by the start of its id, or the one made last.

    Raises:
        NotFoundError: there is no release yet, none of that name, or several.
    """
    if not folder.exists(TABLE):
        raise NotFoundError("there is no release yet: run `lgt run --select release` first")
    files = folder.open(TABLE)
    rows = files.scan(files.slices).collect().to_dicts() if files.slices else []
    if not rows:
        raise NotFoundError("there is no release yet: run `lgt run --select release` first")
    # Two runs that make one release at once may both have kept it: the first row is the one that counts.
    first = {row["release_id"]: row for row in sorted(rows, key=made_order, reverse=True)}
    if name == LATEST:
        return _release(folder, max(first.values(), key=made_order))
    found = [release_id for release_id in first if release_id.startswith(name)]
    if len(found) != 1:
        known = ", ".join(reversed(first))
        raise NotFoundError(f"{'no' if not found else 'more than one'} release begins with {name!r}; there are {known}")
    return _release(folder, first[found[0]])


def made_order(row: Mapping) -> tuple:
    """A sort key of rows of ``release``: the table versions that they pin only grow, and numbers count within."""
    return row["number"], row["release_id"]


def _release(folder: TableFolder, row: Mapping) -> Release:
    files = folder.open(EXCLUSIONS) if folder.exists(EXCLUSIONS) else None
    excluded = pl.DataFrame(schema=SCHEMA)
    if files is not None and files.slices:
        all_rows = files.scan(files.slices).filter(pl.col("release_id") == row["release_id"])
        # A run that is killed before it keeps the release's row leaves these behind; the next one adds them again.
        excluded = all_rows.select(list(SCHEMA)).unique(maintain_order=True).collect()
    settings = json.loads(row["settings"])
    return Release(
        row["release_id"], {one["table"]: one["version"] for one in row["inputs"]}, row["shards"],
        Draw(settings["sizes"], settings["seed"]),
        {(one["config"], one["split"]): (one["rows"], one["content"]) for one in row["files"]},
        json.loads(row["facts"]), {one["name"]: one["version"] for one in row["libraries"]}, excluded,
    )  # fmt: skip
