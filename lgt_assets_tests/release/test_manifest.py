"""The manifest finds what was changed, lost and added; `sha256sum` reads it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import NotFoundError, ReleaseError
from lgt_assets.release.manifest import NAME, list_files, verify, write_manifest

NAMES = ("a/b.txt", "a/c/d.parquet", "a.txt", "a0.txt", "README.md", "images/ff/ff.png")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        path = tmp_path / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}")
    assert write_manifest(tmp_path / "export") == len(NAMES)
    return tmp_path / "export"


def test_a_whole_export_is_whole(export: Path):
    findings = verify(export)
    assert findings.is_whole and findings.files == len(NAMES)
    assert shutil.which("sha256sum")
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", NAME], cwd=export, check=True)


def test_what_differs_is_named(export: Path):
    (export / "a/b.txt").write_text("other")
    (export / "a.txt").unlink()
    (export / "a/c/e.txt").write_text("new")
    (export / "zz").write_text("new")
    findings = verify(export)
    assert not findings.is_whole
    assert (findings.changed, findings.missing) == (["a/b.txt"], ["a.txt"])
    assert findings.unknown == ["a/c/e.txt", "zz"] and findings.files == len(NAMES) - 2


@pytest.mark.parametrize("line", ["nothing", "0" * 64 + "  ../outside", "0" * 64 + "  /etc/passwd", "0" * 63 + "  a"])
def test_a_foreign_manifest_is_refused_by_its_line(export: Path, line: str):
    (export / NAME).write_text((export / NAME).read_text() + line + "\n")
    with pytest.raises(ReleaseError, match=rf"{NAME}, line {len(NAMES) + 1}"):
        verify(export)


def test_a_folder_without_one_is_no_export(tmp_path: Path):
    with pytest.raises(NotFoundError, match="has no SHA256SUMS"):
        verify(tmp_path)


@given(st.sets(st.text("ab./-0", min_size=1, max_size=6).filter(lambda name: not set(name) <= {"."}), max_size=12))
def test_files_come_in_the_order_of_their_paths(tmp_path_factory, names: set[str]):
    folder = tmp_path_factory.mktemp("files")
    for name in names:
        path = folder / name.replace("/", "").replace("..", "") / "x"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        (folder / f"{path.parent.name}.txt").touch()
    found = list(list_files(folder))
    assert found == sorted(found) and len(found) == len({path for path in folder.rglob("*") if path.is_file()})
