"""Pictures that lie in containers or behind addresses, kept byte for byte below the state folder, named by their sha256.

Engines, trainers and exporters then read a path, whatever a picture came in; a Parquet file could not be read one picture at a
time anyway. The price is the disk that the pictures take. Each source keeps its own: a takedown in one leaves the others whole.
"""

from pathlib import Path

from lgt_assets.sources.files import remove_leftovers, write_atomically


def kept_path(folder: Path, sha256: str) -> Path:
    """``folder/<first 2 hex>/<sha256>``."""
    return folder / sha256[:2] / sha256


def keep_picture(folder: Path, sha256: str, content: bytes) -> Path:
    """Write ``content``, whose sha256 is given, unless it is there already; returns its path.

    It is safe from a power failure after :func:`lgt_assets.sources.files.sync_files`, to be called before a shard names it.

    Args:
        folder: the source's pictures.
    """
    path = kept_path(folder, sha256)
    if not (path.is_file() and path.stat().st_size == len(content)):
        write_atomically(path, content, durable=False)
    return path


def remove_unfinished(folder: Path) -> None:
    """Delete what a killed writer left half-written. Call it under the source's lock only."""
    remove_leftovers(folder)
    for part in folder.glob("[0-9a-f][0-9a-f]"):
        remove_leftovers(part)
