"""An export: a release's rows in one format with all that goes beside them; whole in its folder, or not there at all."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import ReleaseError
from lgt_assets.release.companions import companions, write_companions
from lgt_assets.release.manifest import write_manifest
from lgt_assets.release.options import Options
from lgt_assets.release.picture_bytes import PictureBytes
from lgt_assets.release.pins import Release
from lgt_assets.release.writing import Progress, Wanted, Written, hashed, write_rows

_ROWS = ".rows"  # what is sorted on disk, within the folder that is being written


@dataclass(frozen=True)
class Exported:
    """What was written; ``stripped``: pictures that said where they were taken, and no longer do."""

    written: tuple[Written, ...]
    files: int
    stripped: int


def export_release(
    release: Release, tables: TableFolder, out: Path, options: Options, progress: Progress = lambda *_: None
) -> Exported:
    """Write ``release`` into the folder ``out``, which is empty or not there.

    The same release gives the same bytes, under the same versions of the libraries, whatever was written to the tables since.

    Raises:
        ReleaseError: ``out`` holds something or cannot be written, a version is no longer there, or the rows are not those that
            were released.
        SourceError: a picture is gone or changed.
    """
    if "://" not in tables.root and out.absolute().resolve().is_relative_to(Path(tables.root).resolve()):
        raise ReleaseError(f"{out} lies among the tables in {tables.root}: give a folder elsewhere")
    try:
        with new_folder(out) as folder:
            exported = _export(release, tables, folder, options, progress)
    except OSError as error:
        raise ReleaseError(
            f"{out} cannot be written: {error}; nothing is left of it. An export needs as much free space as its rows, pictures "
            "and the texts of its tables together, in a folder that you may write to: make room, or give another one"
        ) from error
    return exported


def _export(release: Release, tables: TableFolder, folder: Path, options: Options, progress: Progress) -> Exported:
    pinned = release.rows(tables)
    with PictureBytes(_change(options)) as pictures:
        wanted = Wanted(options.form, options.delivery, release.draw, options.configs)
        written = write_rows(folder, folder / _ROWS, pinned, wanted, pictures, progress=progress)
        shutil.rmtree(folder / _ROWS, ignore_errors=True)
        stripped = pictures.changed
    _require_content(release, written)
    write_companions(folder, companions(release, pinned, options, written))
    return Exported(tuple(written), write_manifest(folder, hashed(written)), stripped)


def _change(options: Options) -> Callable[[bytes], tuple[bytes, bool]] | None:
    if not options.strip_location:
        return None
    from lgt_assets.release.location import without_location

    def change(content: bytes) -> tuple[bytes, bool]:
        found = without_location(content)
        return found.content, bool(found.removed)

    return change


def _require_content(release: Release, written: Sequence[Written]) -> None:
    """The rows must say what was released."""
    for one in written:
        rows, content = release.contents[one.config, one.split]
        if (one.rows, one.content) != (rows, content):
            raise ReleaseError(
                f"release {release.release_id}, {one.config}, {one.split}: {one.rows} rows were read that differ from the {rows} "
                "released: the tables were changed behind Delta's back, or this version of lgt_assets reads them otherwise"
            )


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that becomes ``out`` when the block ends well, and is removed when it does not.

    Raises:
        ReleaseError: ``out`` holds something or cannot be put in place as a whole, or another process is writing it.
    """
    if out.is_dir() and (out.is_mount() or out.samefile(".")):
        raise ReleaseError(
            f"{out} is a mount point or the folder you are in, which cannot be replaced: name a folder in it"
        )
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise ReleaseError(f"{out} is there and not an empty folder: give another one, or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.parent / f".{out.name}.writing"
    with (out.parent / f".{out.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(lock.fileno()).st_nlink:  # the process that had it ended in between, and removed the file
                raise BlockingIOError(f"{lock.name} was removed")
        except BlockingIOError as error:
            raise ReleaseError(
                f"{out} is being written by another process: wait for it, or give another folder"
            ) from error
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
        folder.mkdir()
        try:
            yield folder
            if out.exists():
                out.rmdir()
            folder.rename(out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.name).unlink(missing_ok=True)
