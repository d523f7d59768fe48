"""Which pictures a person means: by image_id, by sha256, or by where they lie."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lgt_assets.errors import NotFoundError
from lgt_assets.sources.shard_files import read_shard
from lgt_assets.sources.shards import list_shards
from lgt_assets.storage import DeltaStore
from lgt_assets.takedown.plan import TakenPicture

_SHA256 = re.compile(r"[0-9a-f]{64}")


def named_pictures(store: DeltaStore, state: Path, names: Sequence[str]) -> list[TakenPicture]:
    """The pictures that ``names`` mean; one that came with several sources is found in all of them.

    Args:
        store: the tables.
        state: the state folder.
        names: image_ids, sha256s, paths or addresses.

    Raises:
        NotFoundError: a name means none.
    """
    images = store.scan("images").select("image_id", "sha256", "shard", "uri").collect()
    members = store.scan("shard_members").select("image_id", "sha256", "shard", "removed").collect()
    sha256s = {_sha256_of(name, images, members, state) for name in names}
    uris = dict(images.select("image_id", "uri").iter_rows())
    held = pl.concat([members.select("image_id", "sha256", "shard"), images.select("image_id", "sha256", "shard")])
    rows = held.filter(pl.col("sha256").is_in(sorted(sha256s))).unique().sort("image_id").rows()
    return [TakenPicture(*row, uris.get(row[0]) or _registered_path(state, row[2], row[1])) for row in rows]


def _sha256_of(name: str, images: pl.DataFrame, members: pl.DataFrame, state: Path) -> str:
    if _SHA256.fullmatch(name):
        if name in set(members["sha256"]) | set(images["sha256"]):
            return name
        raise NotFoundError(f"no source holds a picture with the sha256 {name}")
    for rows in (images, members):
        found = rows.filter(pl.col("image_id") == name)["sha256"]
        if len(found):
            return found[0]
    path = os.path.abspath(name)
    found = images.filter(pl.col("uri").is_in([name, path]))["sha256"].unique()
    if len(found) == 1:
        return found[0]
    if Path(path).is_file():
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 in set(members["sha256"]):
            return sha256
    for shard in list_shards(state):  # registered and not made yet, and the file is gone; or by address
        for picture in read_shard(state, shard).pictures:
            if name == picture.record.origin or path == str(picture.record.path):
                return picture.sha256
    raise NotFoundError(
        f"no source holds a picture {name}: name it by its image_id, its sha256, or where it lies; `lgt show SHARD` lists some"
    )


def _registered_path(state: Path, shard: str, sha256: str) -> str:
    """Where the shard's file says that the picture lies; "" where it has a tombstone already."""
    try:
        pictures = read_shard(state, shard).pictures
    except NotFoundError:
        return ""
    return next((str(one.record.path) for one in pictures if one.sha256 == sha256), "")


def copies_of_ours(pictures: Sequence[TakenPicture], state: Path) -> tuple[list[Path], list[str]]:
    """Files of the pictures that the project put below the state folder, and where the originals of others lie."""
    ours, theirs = [], []
    for picture in pictures:
        path = Path(os.path.abspath(picture.uri)) if picture.uri and "://" not in picture.uri else None
        if path is not None and path.is_relative_to(state / "images"):
            ours.append(path)
        elif picture.uri:
            theirs.append(picture.uri)
    return sorted(set(ours)), sorted(set(theirs))
