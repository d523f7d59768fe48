"""SHA256SUMS: what an export consists of, in the form that the command `sha256sum` writes and checks."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lgt_assets.errors import NotFoundError, ReleaseError

NAME = "SHA256SUMS"
_THREADS = 4  # hashing leaves Python's lock


@dataclass
class Findings:
    """What differs from the manifest; paths are relative. ``files`` counts those that are as they were."""

    files: int = 0
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return not (self.changed or self.missing or self.unknown)


def write_manifest(folder: Path, known: Mapping[str, str] | None = None) -> int:
    """Write the manifest of all files below ``folder``, ordered by path; how many they are.

    Args:
        folder: of the export.
        known: sha256 by relative path, of files that need not be read again.
    """
    known = known or {}

    def sha256_of(name: str) -> str:
        return known.get(name) or file_sha256(folder / name)

    count = 0
    with (folder / NAME).open("w", encoding="utf-8", newline="\n") as manifest, ThreadPoolExecutor(_THREADS) as threads:
        names = list_files(folder)
        while batch := [name for _, name in zip(range(256), names, strict=False)]:
            for name, sha256 in zip(batch, threads.map(sha256_of, batch), strict=True):
                manifest.write(f"{sha256}  {name}\n")
                count += 1
    return count


def verify(folder: Path) -> Findings:
    """Hold an export against its manifest: contents, files that are gone, and files that nobody listed.

    Raises:
        NotFoundError: there is no manifest.
        ReleaseError: it is not one that an export writes; the message names the line.
    """
    if not (folder / NAME).is_file():
        raise NotFoundError(f"{folder} has no {NAME}: give the folder that `lgt export --out` named")
    findings = Findings()
    listed = _listed(folder)
    there = list_files(folder)
    name = next(there, None)
    for expected, sha256 in listed:
        while name is not None and name < expected:
            findings.unknown.append(name)
            name = next(there, None)
        if name != expected:
            findings.missing.append(expected)
            continue
        if _is_plain(folder / name) and file_sha256(folder / name) == sha256:
            findings.files += 1
        else:
            findings.changed.append(name)
        name = next(there, None)
    while name is not None:
        findings.unknown.append(name)
        name = next(there, None)
    return findings


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_plain(path: Path) -> bool:
    """An export holds no links, whose target may lie elsewhere or nowhere, and no pipes, which would be waited for."""
    return stat.S_ISREG(path.lstat().st_mode)


def list_files(folder: Path, within: str = "") -> Iterator[str]:
    """Relative paths of all files, in the order of their text, the manifest left out; links are not followed."""
    with os.scandir(folder / within) as entries:
        # "a/b" comes after "a.b" and before "a0": a folder is ordered by its name with the slash.
        found = sorted(entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "") for entry in entries)
    for name in found:
        path = within + name
        if name.endswith("/"):
            yield from list_files(folder, path)
        elif path != NAME:
            yield path


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, sha256) of every line; each path below the folder."""
    # What is no UTF-8 becomes a name that no file has, or no sha256; never an exception without a line.
    with (folder / NAME).open(encoding="utf-8", errors="backslashreplace") as manifest:
        last = ""
        for number, line in enumerate(manifest, start=1):
            sha256, space, name = line.rstrip("\n").partition("  ")
            if len(sha256) != 64 or not space or name <= last or name.startswith("/") or ".." in name.split("/"):
                raise ReleaseError(f"{folder / NAME}, line {number}: not as an export writes it; export again")
            last = name
            yield name, sha256
