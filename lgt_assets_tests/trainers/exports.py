"""Exports for the tests with real trainers: ``python -m lgt_assets_tests.trainers.exports FOLDER`` writes FOLDER/FORMAT for each."""

import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl

from lgt_assets.delta_files import TableFolder
from lgt_assets.release.companions import write_companions
from lgt_assets.release.configs import RELEASE_TABLES, Draw
from lgt_assets.release.exclusions import SCHEMA
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.writing import Wanted, write_rows
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.trainers.made_examples import SHARDS, write_examples
from lgt_assets_tests.trainers.ready_files import ready_files


def write_exports(folder: Path) -> None:
    """Write the made dataset in every format below ``folder``, anew."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        store = DeltaStore(str(state / "tables"))
        write_examples(store, state / "pictures")
        tables = TableFolder(str(state / "tables"))
        versions = {table: store.version(table) for table in RELEASE_TABLES}
        for name, form in FORMATS.items():
            (folder / name).mkdir(parents=True)
            pinned = PinnedRows(tables, versions, SHARDS, pl.DataFrame(schema=SCHEMA))
            with PictureBytes() as pictures:
                written = write_rows(
                    folder / name,
                    state / name,
                    pinned,
                    Wanted(form, form.pictures, Draw({})),
                    pictures,
                    progress=lambda *_: None,
                )
            write_companions(folder / name, ready_files(name, written))


if __name__ == "__main__":
    write_exports(Path(sys.argv[1]))
