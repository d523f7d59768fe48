"""Making a release: what is left out, what its rows say, its id; its rows and card in a folder of their own."""

import importlib.metadata
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lgt_assets.delta_files import TableFolder
from lgt_assets.leftover_files import RELEASE_IN_WRITING, folder_in_writing
from lgt_assets.release.companions import companions, write_companions
from lgt_assets.release.configs import Draw
from lgt_assets.release.exclusions import counted
from lgt_assets.release.formats.rows import ROWS
from lgt_assets.release.manifest import NAME, verify, write_manifest
from lgt_assets.release.options import Options
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.pins import Release, release_id_of
from lgt_assets.release.writing import Progress, Wanted, Written, hashed, write_rows

EXCLUDED, PICTURES = "excluded.parquet", "pictures.parquet"
LIBRARIES = ("lgt_assets", "polars", "pyarrow", "matplotlib")
_PICTURE_COLUMNS = ("image_id", "uri", "sha256", "width", "height", "split", "license", "attribution")


@dataclass(frozen=True)
class Draft:
    """A release that has no id yet; see :class:`lgt_assets.release.pins.Release`."""

    inputs: Mapping[str, int]
    shards: Sequence[str]
    draw: Draw
    excluded: pl.DataFrame


def make_release(
    root: Path, tables: TableFolder, draft: Draft, facts: Callable[[PinnedRows, Sequence[Written]], Mapping],
    progress: Progress = lambda *_: None, look: Callable[[str, pl.DataFrame], None] | None = None,
) -> tuple[Release, list[Written]]:  # fmt: skip
    """Write ``<root>/<release_id>/``: parquet per config and split, what is left out, where pictures lie, and the card.

    Args:
        root: folder of all releases.
        tables: the tables.
        draft: what it consists of.
        facts: called when the rows are written; gives what the card tells of them.
        progress: told now and then.
        look: shown the rows of every config as they pass, with its name.

    Raises:
        LgtError: fewer rows than are to be drawn, or a file is gone; nothing is left behind.
    """
    with folder_in_writing(root, RELEASE_IN_WRITING) as temporary:
        pinned = PinnedRows(tables, draft.inputs, draft.shards, draft.excluded)
        with PictureBytes() as pictures:
            wanted = Wanted(ROWS, ROWS.pictures, draft.draw)
            written = write_rows(temporary, temporary / ".rows", pinned, wanted, pictures, progress=progress, look=look)
        shutil.rmtree(temporary / ".rows", ignore_errors=True)
        release = _named(draft, written, facts(pinned, written))
        write_pictures(temporary / PICTURES, pinned)
        draft.excluded.sort("table", "reason", "row_id").write_parquet(temporary / EXCLUDED, compression="zstd")
        write_companions(temporary, companions(release, pinned, Options(ROWS), written))
        write_manifest(temporary, hashed(written))
        final = root / release.release_id
        if not (final / NAME).is_file() or not verify(final).is_whole:  # an equal one that is whole stays as it is
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
    return release, written


def _named(draft: Draft, written: Sequence[Written], facts: Mapping) -> Release:
    contents = {(one.config, one.split): (one.rows, one.content) for one in written}
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return Release(
        release_id_of(contents, facts),
        draft.inputs,
        draft.shards,
        draft.draw,
        contents,
        facts,
        libraries,
        draft.excluded,
    )


def write_pictures(path: Path, pinned: PinnedRows) -> None:
    """Where every picture lies, its content's hash, and what its licence asks for, shard by shard."""
    import pyarrow.parquet as pq

    writer = None
    for shard in pinned.shards:
        table = pinned.pictures(shard).select(_PICTURE_COLUMNS).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="ZSTD", compression_level=3)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def release_row(release: Release, written: Sequence[Written], *, number: int, uri: str, code_version: str) -> dict:
    """The row of ``release``; that of an earlier one of the same id stays instead of it."""
    return {
        "release_id": release.release_id, "number": number, "uri": uri, "code_version": code_version,
        "inputs": [{"table": table, "version": version} for table, version in release.inputs.items()],
        "shards": list(release.shards),
        "settings": json.dumps({"sizes": release.draw.sizes, "seed": release.draw.seed}, sort_keys=True),
        "files": [
            {"config": one.config, "split": one.split, "path": one.files[0], "rows": one.rows, "content": one.content}
            for one in written
        ],
        "excluded": counted(release.excluded), "facts": json.dumps(release.facts),
        "libraries": [{"name": name, "version": version} for name, version in release.libraries.items()],
    }  # fmt: skip
