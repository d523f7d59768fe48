"""Perceptual hashes of the pictures in a release: taken once and kept in the table ``picture_hashes``."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from lgt_assets.engines.base import ImageReference
from lgt_assets.engines.image_bytes import ImageUnreadable, read_image_bytes
from lgt_assets.errors import SourceError
from lgt_assets.release.perceptual import picture_hash
from lgt_assets.schemas import frame
from lgt_assets.sources.records import RowRejected
from lgt_assets.storage import DeltaStore

TABLE = "picture_hashes"


def hashes_of(store: DeltaStore, shards: list[str]) -> pl.DataFrame:
    """``image_id`` and ``phash`` of every picture in ``shards``; what is not in the table yet is hashed and written to it.

    Raises:
        SourceError: a picture is missing, changed or broken.
    """
    slices = [frame(TABLE, []), *(_of_shard(store, shard) for shard in shards)]
    return pl.concat([rows.select("image_id", "phash") for rows in slices])


def _of_shard(store: DeltaStore, shard: str) -> pl.DataFrame:
    images = store.read("images", shards=[shard])
    held = store.read(TABLE, shards=[shard])
    known = {(row["image_id"], row["sha256"]): row["phash"] for row in held.to_dicts()}
    if known.keys() == set(images.select("image_id", "sha256").rows()):
        return held
    missing = [row for row in images.to_dicts() if (row["image_id"], row["sha256"]) not in known]
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # decoding leaves Python's lock
        known |= {
            (row["image_id"], row["sha256"]): found
            for row, found in zip(missing, threads.map(_hash, missing), strict=True)
        }
    rows = [
        {"shard": shard, "ordinal": row["ordinal"], "image_id": row["image_id"], "sha256": row["sha256"]}
        | {"phash": known[row["image_id"], row["sha256"]]}
        for row in images.to_dicts()
    ]
    store.replace(TABLE, frame(TABLE, rows), shard=shard)
    return frame(TABLE, rows)


def _hash(row: dict) -> str:
    try:
        return picture_hash(read_image_bytes(ImageReference(row["sha256"], row["uri"])), Path(row["uri"]))
    except (ImageUnreadable, RowRejected) as error:
        raise SourceError(f"picture {row['image_id']}: {error}") from error
