"""What came to known sources since anybody looked: shard files by name alone, and manifests that changed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lgt_assets.errors import SourceError
from lgt_assets.sources.files import is_locked
from lgt_assets.sources.shard_files import manifest_stamp, shard_names, source_lock
from lgt_assets.sources.shards import SHARD_SIZE

# A manifest that changed just now may still be written to, and half a row would be quarantined.
SETTLED_SECONDS = 10


@dataclass(frozen=True)
class GrownManifest:
    """A source of kind ``manifest`` whose file is not as it was when it was last added whole.

    ``shard_size`` is that of the latest addition. ``change`` names what is to be added: it differs once the file changed
    again, and once a part of it was added.
    """

    name: str
    kind: str
    options: dict[str, object]
    shard_size: int
    change: str


def shards_on_disk(state: Path) -> list[str]:
    """All shards that lie below the state folder, by source and number; none of their files is opened."""
    sources = sorted(path.parent.name for path in (state / "sources").glob("*/source.yaml"))
    return [shard for name in sources for shard in shard_names(state, name)]


def grown_manifests(state: Path, *, settled_seconds: float = SETTLED_SECONDS) -> Iterator[GrownManifest]:
    """Manifests whose time or size differs from when they were last added whole: also an older file, and one whose addition was
    killed. One that changed in the last ``settled_seconds``, is being added now, or is gone, is left alone.

    Raises:
        SourceError: a ``source.yaml`` is damaged.
    """
    for path in sorted((state / "sources").glob("*/source.yaml")):
        name = path.parent.name
        if is_locked(source_lock(state, name)):
            continue
        try:
            recorded = yaml.safe_load(path.read_text(encoding="utf-8"))
            kind, options = recorded["kind"], dict(recorded["options"])
            shard_size = int(recorded.get("shard_size", SHARD_SIZE))
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{path} is damaged ({error}); it should say the source's kind and options") from error
        if kind != "manifest" or not Path(str(options.get("path", ""))).is_file():
            continue
        found = manifest_stamp(kind, options)
        if found == recorded.get("manifest") or found["mtime_ns"] / 1e9 + settled_seconds > time.time():
            continue
        change = f"{found['mtime_ns']}-{found['size']}-{len(shard_names(state, name))}"
        yield GrownManifest(name, kind, options, shard_size, change)
