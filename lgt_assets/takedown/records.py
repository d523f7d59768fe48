"""What the table ``takedowns`` says, for those who look something up. Light: the data dictionary is not loaded."""

import hashlib
from collections.abc import Mapping

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import TakenDownError

TABLE = "takedowns"


def digest_of_id(name: str) -> str:
    """What is kept of a removed row's id or a completion's key: 16 hexadecimal digits, from which neither can be told."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def takedowns(folder: TableFolder) -> list[dict]:
    """All of them, in the order of their beginning."""
    files = folder.open(TABLE) if folder.exists(TABLE) else None
    rows = files.scan(files.slices).collect().to_dicts() if files is not None and files.slices else []
    return sorted(rows, key=lambda row: (row["taken_down_at"], row["image_id"]))


def require_not_taken_down(folder: TableFolder, name: str) -> None:
    """Of what is not there any more, say that it was taken down.

    Args:
        folder: the tables.
        name: a row's id, a completion's key, or a picture's sha256.

    Raises:
        TakenDownError: it was; the message says when, and by which command.
    """
    for row in takedowns(folder):
        if name in (row["image_id"], row["sha256"]) or digest_of_id(name) in row["row_digests"]:
            raise TakenDownError(f"{name} was taken down on {row['taken_down_at']} by `{row['command']}`")


def require_rebuildable(folder: TableFolder, release_id: str) -> None:
    """A release whose shards lost a picture can no longer be read from the versions that it pins.

    Raises:
        TakenDownError: it cannot; the message names the picture and says what can be done.
    """
    for row in takedowns(folder):
        if release_id in row["releases"]:
            raise TakenDownError(
                f"release {release_id} can no longer be rebuilt: {row['image_id']}, which its shards held, was taken down on "
                f"{row['taken_down_at']} by `{row['command']}`, and the table versions that the release pins were given up; "
                "make a new one: lgt run --select release"
            )


def releases_given_up(rows: list[Mapping]) -> set[str]:
    """Ids of all releases that can no longer be rebuilt."""
    return {release for row in rows for release in row["releases"]}
