"""What a killed process left goes when it is old; what somebody still writes stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lgt_assets.leftover_files import (
    RELEASE_IN_WRITING,
    abandoned_folders,
    folder_in_writing,
    remove_folder,
    staged_files,
)

PREFIX = RELEASE_IN_WRITING
KILLED_AMID = """
import os, signal, sys
from pathlib import Path
from lgt_assets.leftover_files import folder_in_writing

with folder_in_writing(Path(sys.argv[1]), ".writing-") as folder:
    (folder / "half.parquet").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def age(path: Path, hours: float) -> None:
    """Set the time of a path and all below it back."""
    for one in (*path.rglob("*"), path):
        os.utime(one, (one.stat().st_atime, one.stat().st_mtime - hours * 3600))


def test_a_folder_in_writing_is_removed_at_the_end_unless_it_was_renamed(tmp_path: Path) -> None:
    with folder_in_writing(tmp_path / "root", PREFIX) as kept:
        kept.rename(tmp_path / "root" / "whole")
    with pytest.raises(ValueError, match="no"), folder_in_writing(tmp_path / "root", PREFIX):
        raise ValueError("no")
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["whole"]


def test_a_killed_writer_s_folder_is_abandoned_when_it_is_old(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_AMID, str(tmp_path)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert abandoned_folders(tmp_path, PREFIX, 24) == []
    (left,) = tmp_path.iterdir()
    age(left, 25)
    assert abandoned_folders(tmp_path, PREFIX, 24) == [left]
    remove_folder(left)
    assert not left.exists()


def test_an_old_folder_stays_while_its_owner_lives_or_a_file_in_it_is_young(tmp_path: Path) -> None:
    with folder_in_writing(tmp_path, PREFIX) as folder:
        age(folder, 99)
        assert abandoned_folders(tmp_path, PREFIX, 24) == []
    unowned = tmp_path / f"{PREFIX}x" / "deep"
    unowned.mkdir(parents=True)
    age(unowned.parent, 99)
    assert abandoned_folders(tmp_path, PREFIX, 24) == [unowned.parent]
    (unowned / "young").touch()
    age(unowned.parent, 0)
    assert abandoned_folders(tmp_path, PREFIX, 24) == []


def test_only_staged_files_are_taken_for_staged(tmp_path: Path) -> None:
    for name in ("a.parquet#1", "a.parquet", "b#.parquet", "c.json#12", "#3"):
        (tmp_path / name).touch()
    assert [path.name for path in staged_files(tmp_path, 0)] == ["a.parquet#1", "c.json#12"]
    assert staged_files(tmp_path, 1) == []
