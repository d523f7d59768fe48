"""Files and folders that a killed process left half written, and those in which one still writes."""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgt_assets.errors import StorageError

# How a folder is called in which a release is written, until it is whole.
RELEASE_IN_WRITING = ".writing-"
# What object_store, below deltalake, calls a file until it is whole: part-….parquet#1.
STAGED = re.compile(r".+#\d+")


def staged_files(folder: Path, hours: float) -> list[Path]:
    """Files below a table's folder that were never finished and that nobody wrote to for ``hours``, sorted."""
    oldest = time.time() - hours * 3600
    found = (path for path in folder.rglob("*#*") if STAGED.fullmatch(path.name) and path.is_file())
    return sorted(path for path in found if path.stat().st_mtime <= oldest)


@contextmanager
def folder_in_writing(root: Path, prefix: str) -> Iterator[Path]:
    """A new folder below ``root`` to write into; renamed or not, what is left of it at the end is removed.

    It is locked meanwhile: :func:`abandoned_folders` leaves it alone.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def abandoned_folders(root: Path, prefix: str, hours: float) -> list[Path]:
    """Folders of :func:`folder_in_writing` that no process holds and in which nothing changed for ``hours``, sorted."""
    oldest = time.time() - hours * 3600
    found = (path for path in root.glob(f"{prefix}*") if path.is_dir() and not path.is_symlink())
    return sorted(path for path in found if _last_change(path) <= oldest and not _is_held(path))


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(f"{folder}, left by a killed run, cannot be removed: {error}") from error


def bytes_of(path: Path) -> int:
    """Size of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _last_change(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _is_held(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
