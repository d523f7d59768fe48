"""What came to known sources since anybody looked: shard files by name alone, and manifests that changed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lgt_assets.errors import SourceError
from lgt_assets.sources.shard_files import shard_names

# A manifest that changed just now may still be written to, and half a row would be quarantined.
SETTLED_SECONDS = 10


@dataclass(frozen=True)
class GrownManifest:
    """A source of kind ``manifest`` whose file changed after it was last added; ``changed_at`` in nanoseconds."""

    name: str
    kind: str
    options: dict[str, object]
    changed_at: int


def shards_on_disk(state: Path) -> list[str]:
    """All shards that lie below the state folder, by source and number; none of their files is opened."""
    sources = sorted(path.parent.name for path in (state / "sources").glob("*/source.yaml"))
    return [shard for name in sources for shard in shard_names(state, name)]


def grown_manifests(state: Path, *, settled_seconds: float = SETTLED_SECONDS) -> Iterator[GrownManifest]:
    """Manifests that changed since they were last added, and not in the last ``settled_seconds``; one that is gone did not.

    Raises:
        SourceError: a ``source.yaml`` is damaged.
    """
    for path in sorted((state / "sources").glob("*/source.yaml")):
        try:
            recorded = yaml.safe_load(path.read_text(encoding="utf-8"))
            kind, options = recorded["kind"], dict(recorded["options"])
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{path} is damaged ({error}); it should say the source's kind and options") from error
        manifest = Path(str(options.get("path", "")))
        if kind != "manifest" or not manifest.is_file():
            continue
        changed_at = manifest.stat().st_mtime_ns
        if changed_at > path.stat().st_mtime_ns and changed_at / 1e9 + settled_seconds <= time.time():
            yield GrownManifest(path.parent.name, kind, options, changed_at)
