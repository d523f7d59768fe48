"""Exports that a user wrote somewhere: looked at, never touched."""

import json
from collections.abc import Collection
from pathlib import Path

from lgt_assets.errors import ReleaseError

FACTS = "release.json"


def holds_release(folder: Path, releases: Collection[str]) -> bool:
    """Whether the export in ``folder`` is of one of the releases.

    Raises:
        ReleaseError: it is no export.
    """
    try:
        return json.loads((folder / FACTS).read_text(encoding="utf-8"))["release_id"] in releases
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{folder} is no export: its {FACTS} cannot be read ({error})") from error
