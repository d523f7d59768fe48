"""Groups the members of a tar file into samples, by WebDataset's rules, reading from front to back.

A member's key is its path up to the first dot of its file name, the rest, in small letters, its ending. Neighbours with one key
are a sample. Members whose key begins and ends with two underscores say something of the file, not of a sample.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lgt_assets.sources.inspection import MAX_BYTES
from lgt_assets.sources.records import RowRejected

# As webdataset's tariterators.base_plus_ext: everything before the first dot after the last slash.
_NAME = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)
_OF_THE_FILE = re.compile(r"__[^/]*__")
MAX_MEMBERS = 64


@dataclass
class TarSample:
    """Members of one key by their ending; or why they cannot be read."""

    key: str
    members: dict[str, bytes] = field(default_factory=dict)
    rejected: RowRejected | None = None


def samples_of(file: Path) -> Iterator[TarSample]:
    """Samples in the order of the file, one at a time in memory; .tar.gz, .tar.bz2 and .tar.xz as well.

    Nothing is unpacked to a disk, so a member's name can name no place. Links, folders and devices are passed over.

    Raises:
        RowRejected: the file is no tar file, or is torn; the samples before the tear were given.
    """
    sample: TarSample | None = None
    try:
        with tarfile.open(file, "r|*") as tar:
            for member in tar:
                tar.members.clear()  # otherwise tarfile keeps every header that it has seen
                match = _NAME.fullmatch(member.name)
                if not member.isfile() or match is None or _OF_THE_FILE.fullmatch(match[1]):
                    continue
                key, ending = match[1], match[2].lower()
                if sample is not None and sample.key != key:
                    yield sample
                    sample = None
                sample = sample or TarSample(key)
                _add(sample, ending, member, tar)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise RowRejected(
            "torn_container",
            "",
            f"{file} cannot be read on ({type(error).__name__}: {error}); copy it again, and add again",
        ) from error
    if sample is not None:
        yield sample


def _add(sample: TarSample, ending: str, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
    if sample.rejected is not None:
        return
    if ending in sample.members:
        sample.rejected = RowRejected(
            "duplicate_member", ending, f"{member.name} comes twice; a sample has one of each"
        )
    elif len(sample.members) >= MAX_MEMBERS:
        sample.rejected = RowRejected("too_many_members", "", f"more than {MAX_MEMBERS} members have one key")
    elif member.size > MAX_BYTES:
        sample.rejected = RowRejected(
            "image_too_large", ending, f"{member.name} has {member.size} bytes; the limit is {MAX_BYTES}"
        )
    else:
        content = tar.extractfile(member)
        sample.members[ending] = content.read() if content is not None else b""
    if sample.rejected is not None:
        sample.members.clear()
