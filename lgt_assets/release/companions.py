"""What goes beside the rows of an export: its card, its facts for programs, and what its trainer needs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lgt_assets import __version__
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.dataset_info import dataset_info
from lgt_assets.release.options import Options
from lgt_assets.release.pinned_rows import PinnedRows
from lgt_assets.release.pins import Release
from lgt_assets.release.writing import Written

FACTS = "release.json"


def companions(
    release: Release, pinned: PinnedRows, options: Options, written: Sequence[Written]
) -> dict[str, str | bytes]:
    """Files by relative path; nothing in them depends on the machine or the hour."""
    files: dict[str, str | bytes] = {FACTS: release_json(release, options, written)}
    if options.form.name == "llamafactory":
        files["dataset_info.json"] = dataset_info(written)
    return files


def release_json(release: Release, options: Options, written: Sequence[Written]) -> str:
    """What programs ask: which release, which format, how many rows where."""
    told: Mapping = {
        "release_id": release.release_id,
        "format": options.form.name,
        "pictures": options.delivery,
        "location_removed": options.strip_location,
        "lgt_assets": __version__,
        "made_with": dict(release.libraries),
        "inputs": dict(sorted(release.inputs.items())),
        "rows": [
            {
                "config": one.config, "split": one.split, "rows": one.rows, "content": one.content, "files": list(one.files),
            }
            for one in written
        ],
        "configs_without_columns": [name for name, one in CONFIGS.items() if one.task not in options.form.columns],
    }  # fmt: skip
    return json.dumps(told, indent=2) + "\n"


def write_companions(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write the files beside the rows."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
